// Versions of the policy: one number each, whoever starts first.
CREATE CONSTRAINT policy_version_number IF NOT EXISTS FOR (v:PolicyVersion) REQUIRE v.number IS UNIQUE;
