"""What `bench/run` is made of: the processes that are compared, the measurements, the table."""
