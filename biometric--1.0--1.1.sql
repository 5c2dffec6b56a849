/* biometric--1.0--1.1.sql */

\echo Use "ALTER EXTENSION biometric UPDATE TO '1.1'" to load this file. \quit

-- (scan: section)

-- (tree: section)

-- (fuse: section)
