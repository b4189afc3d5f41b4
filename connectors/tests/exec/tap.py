"""A Singer tap over a world in a JSON file, written from the specification of the protocol.

It knows --config, --catalog, --state and --discover. The world says which rows there are, how the
tap lists them, and what befalls it. Every start is noted in a log beside the world.
"""
import argparse
import json
import sys
import time

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "title": {"type": "string"},
        "day": {"type": "string"},
        "hours": {"type": "number"},
        "at": {"type": "integer"},
        "echo": {"type": "string"},
        "_sdc_deleted_at": {"type": ["null", "string"]},
        "_sdc_extracted_at": {"type": "string"},
    },
}


def say(message):
    sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")


def fail(status, words):
    sys.stdout.flush()
    sys.stderr.write("INFO starting\nCRITICAL %s\n" % words)
    sys.exit(status)


def befall(trouble, secret):
    """What happens instead of the next block of records."""
    sys.stdout.flush()
    words = {
        "Away": "ConnectionError: 500 Server Error",
        "Refused": "HTTPError: 401 Client Error: Unauthorized for url ?key=" + secret,
        "Forbidden": "HTTPError: 403 Client Error: Forbidden for url ?key=" + secret,
        "Missing": "HTTPError: 404 Client Error: Not Found",
        "Payment": "HTTPError: 402 Client Error: Payment Required",
        "TooMany": "HTTPError: 429 Client Error: Too Many Requests",
    }
    if trouble in words:
        fail(1, words[trouble])
    texts = {
        "Cut": '{"type": "RECORD", "stream": "things", "rec',
        "Empty": "",
        "Garbage": '{"type": {{{\n',
        "Html": "<!DOCTYPE html><html><body>Log in</body></html>\n",
    }
    if trouble in texts:
        sys.stdout.write(texts[trouble])
        sys.stdout.flush()
        sys.exit(0)
    if trouble == "Stalled":
        time.sleep(60)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    parser.add_argument("--catalog")
    parser.add_argument("--state")
    parser.add_argument("--discover", action="store_true")
    args = parser.parse_args()
    with open(args.config, encoding="utf-8") as file:
        config = json.load(file)
    with open(config["world"], encoding="utf-8") as file:
        world = json.load(file)
    with open(config["world"] + ".log", "a", encoding="utf-8") as file:
        file.write("discover\n" if args.discover else "run\n")
    if args.discover:
        stream = {"tap_stream_id": "things", "stream": "things", "schema": SCHEMA, "metadata": []}
        print(json.dumps({"streams": [stream]}))
        return
    state = {}
    if args.state:
        with open(args.state, encoding="utf-8") as file:
            state = json.load(file)
    sync(world, state.get("at", 0), config["api_key"])


def sync(world, since, secret):
    full = world["full"]
    rows = sorted(world["rows"], key=lambda row: (row["at"], row["id"]))
    if full:
        rows = [row for row in rows if not row.get("_sdc_deleted_at")]
    else:
        # The mark itself once more: another row may have been changed in the same moment.
        rows = [row for row in rows if row["at"] >= since]
    trouble, skip = world.get("trouble"), world.get("skip", 0)
    blocks = [rows[at : at + 20] for at in range(0, len(rows), 20)] or [[]]
    for number, block in enumerate(blocks):
        if trouble and number >= skip:
            befall(trouble, secret)
        if number == 0:
            say({"type": "SCHEMA", "stream": "things", "schema": SCHEMA, "key_properties": ["id"]})
        for row in block:
            record = dict(row, echo=secret, _sdc_extracted_at=str(time.time_ns()))
            say(
                {
                    "type": "RECORD",
                    "stream": "things",
                    "record": record,
                    "time_extracted": "2026-03-01T00:00:00.%06dZ" % (time.time_ns() % 1000000),
                }
            )
        last = max([row["at"] for row in block], default=since)
        say({"type": "STATE", "value": {} if full else {"at": last}})
    sys.stdout.flush()


main()
