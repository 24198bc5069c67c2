"""The world when there is no cloud: tenant, phone, model and bank on loopback."""
