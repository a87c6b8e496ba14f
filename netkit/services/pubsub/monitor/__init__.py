"""The mount `monitor`: a service's values in the shape in which NATS's own monitoring has them."""
