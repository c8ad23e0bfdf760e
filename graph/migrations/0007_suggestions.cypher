// What suggestions are found by: addresses by what they fold to and by their domain, what is shared, accounts by domain.
CREATE INDEX contact_point_folded IF NOT EXISTS FOR (i:ContactPoint) ON (i.folded);
CREATE INDEX contact_point_mail_domain IF NOT EXISTS FOR (i:ContactPoint) ON (i.mail_domain, i.key);
CREATE INDEX contact_point_generic IF NOT EXISTS FOR (i:ContactPoint) ON (i.generic, i.key);
CREATE INDEX device_generic IF NOT EXISTS FOR (i:Device) ON (i.generic, i.key);
CREATE INDEX account_mail_domain IF NOT EXISTS FOR (a:Account) ON (a.mail_domain, a.key);
// Data of before; insight/suggestions.py says the same of data that comes, and a test compares.
MATCH (i:ContactPoint)
WHERE i.namespace = 'email' AND i.mail_domain IS NULL
CALL (i) {
  WITH i, split(i.value, '@') AS parts
  WITH i, split(parts[0], '+')[0] AS bare, parts[1] AS domain
  WITH i, domain,
    CASE WHEN domain IN ['gmail.com', 'googlemail.com'] THEN replace(bare, '.', '') ELSE bare END AS bare,
    CASE domain WHEN 'googlemail.com' THEN 'gmail.com' ELSE domain END AS provider
  SET i.mail_domain = domain,
    i.folded = CASE WHEN bare <> '' AND bare + '@' + provider <> i.value THEN bare + '@' + provider END
} IN TRANSACTIONS OF 5000 ROWS;
MATCH (a:Account)
WHERE a.domain IS NOT NULL AND a.mail_domain IS NULL
CALL (a) {
  WITH a, split(split(last(split(toLower(trim(toString(a.domain))), '://')), '/')[0], ':')[0] AS host
  WITH a, CASE WHEN host STARTS WITH 'www.' THEN substring(host, 4) ELSE host END AS host
  SET a.mail_domain = CASE WHEN host CONTAINS '.' AND NOT host CONTAINS '@' THEN host END
} IN TRANSACTIONS OF 5000 ROWS;
