SELECT phase || ': ' || 10 * (10 * blocks_done / blocks_total) || ' % of the table'
FROM pg_stat_progress_create_index WHERE blocks_total > 0 AND blocks_done > 0;
