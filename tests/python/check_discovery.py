"""Validates a device discovery message with Home Assistant's own schemas.

    check_discovery.py FILE

Needs a Python with the packages homeassistant (2024.12 or later validates the whole message; an older one each component by itself) and
paho-mqtt, and whatever else the MQTT integration imports. Exit code 0: valid.
"""

import importlib
import json
import sys

PLATFORMS = {"sensor", "binary_sensor", "event", "switch", "button"}


def component_errors(name, config, shared):
    platform = config.pop("platform")
    if platform not in PLATFORMS:
        return [f"{name}: unknown platform {platform}"]
    module = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
    try:
        module.DISCOVERY_SCHEMA({**shared, **config})
    except Exception as error:  # voluptuous.Invalid, and whatever a validator raises
        return [f"{name}: {error}"]
    return []


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        message = json.load(file)
    shared = {"device": message["device"], "availability": message["availability"], "qos": message["qos"]}
    errors = []
    for name, config in message["components"].items():
        errors += component_errors(name, dict(config), shared)
    try:
        from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA
    except ImportError:
        print("this Home Assistant has no schema for whole devices; components only", file=sys.stderr)
    else:
        try:
            DEVICE_DISCOVERY_SCHEMA(message)
        except Exception as error:
            errors.append(f"device: {error}")
    print("\n".join(errors) or f"valid: {len(message['components'])} components", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
