"""What people see: tables, graphs and sentences, made of snapshots and events. Fetches nothing."""
