// What sources ask to have erased or handed out; by the key an erasure finds those that it settles.
CREATE CONSTRAINT privacy_request_id IF NOT EXISTS FOR (r:PrivacyRequest) REQUIRE r.id IS UNIQUE;
CREATE INDEX privacy_request_key IF NOT EXISTS FOR (r:PrivacyRequest) ON (r.key);
CREATE INDEX privacy_request_state IF NOT EXISTS FOR (r:PrivacyRequest) ON (r.state);
