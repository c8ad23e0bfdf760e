// What is due to an endpoint, in the order in which it is due, found without what is due to any other.
CREATE INDEX webhook_delivery_lane IF NOT EXISTS FOR (d:WebhookDelivery) ON (d.endpoint, d.due_at, d.seq);
DROP INDEX webhook_delivery_due IF EXISTS;
