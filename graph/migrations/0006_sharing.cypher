// Decisions about accounts, and the deals of an account.
CREATE CONSTRAINT account_act_id IF NOT EXISTS FOR (x:AccountAct) REQUIRE x.id IS UNIQUE;
CREATE INDEX account_act_account IF NOT EXISTS FOR (x:AccountAct) ON (x.account);
CREATE INDEX account_act_into IF NOT EXISTS FOR (x:AccountAct) ON (x.into);
CREATE INDEX deal_account IF NOT EXISTS FOR (d:Deal) ON (d.account, d.key);
