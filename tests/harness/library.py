"""What programs that use libtidegate are told about the server, in tests."""
import os

URL = "TIDEGATE_TEST_URL"  # for tests/integration/library/


def environment(server, schema, user="app"):
    """As an application's: the account in DB_.., and a URL."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
    return env | {URL: f"mysql://{user}:{user}-secret@127.0.0.1:{server.port}/{schema}", "DB_HOST": "127.0.0.1",
                  "DB_PORT": str(server.port), "DB_USER": user, "DB_PASSWORD": f"{user}-secret", "DB_NAME": schema,
                  "DB_CONNECTION_LIMIT": "2"}
