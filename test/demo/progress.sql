SELECT phase || coalesce(': ' || round(100.0 * tuples_done / nullif(tuples_total, 0)) || ' % of the fingers',
                         ': ' || round(100.0 * blocks_done / nullif(blocks_total, 0)) || ' % of the table', '')
FROM pg_stat_progress_create_index;
