// The loads of a source, newest first, page by page.
CREATE INDEX run_source IF NOT EXISTS FOR (r:Run) ON (r.source, r.started_at, r.id);
