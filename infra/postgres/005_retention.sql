-- Retention: what keeps tables and indexes bounded while jobs come and go for months.

-- A turn changes a job's row several times before its page can be pruned; with less room the changed rows move to other
-- pages, and every index with them. Measured: a third full keeps all updates in place, a half full 54 in a hundred.
alter table job set (fillfactor = 30);

-- Jobs leave in bulk: a few percent of dead rows are worth a vacuum, and a fixed number where rows live for one turn.
alter table job set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table job_spec set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table job_event set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table shard set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table item_result set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table job_item set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table job_input set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table idempotency_key set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table leader_turn set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
