"""What is Kafka's: settings of its client, records, partitions, and the member of a group that reads them."""
