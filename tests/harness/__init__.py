"""What the tests share: real servers, the gate as a process, and a raw protocol client."""
