"""Where Alembic begins: it is given an open connection, in whose transaction the whole change runs."""

from alembic import context

from autogrid.storage.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
