"""The upstreams: each builds requests for one kind of endpoint and sends nothing."""
