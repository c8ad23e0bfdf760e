// An account's people by the roles that were said of them.
CREATE INDEX member_role IF NOT EXISTS FOR ()-[m:MEMBER_OF]-() ON (m.of, m.role);
