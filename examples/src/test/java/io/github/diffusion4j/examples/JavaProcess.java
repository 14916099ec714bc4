package io.github.diffusion4j.examples;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line of a Java process with the flags that the launcher gives. */
public final class JavaProcess {

  private JavaProcess() {}

  /**
   * A program of the examples.
   *
   * @param classPath jars and folders
   * @param main its class
   * @param args its arguments
   * @return for a ProcessBuilder
   */
  public static List<String> command(String classPath, Class<?> main, List<String> args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    if (Runtime.version().feature() >= 24) {
      command.add("--illegal-native-access=allow");
    }
    command.addAll(List.of("-cp", classPath, main.getName()));
    command.addAll(args);
    return command;
  }
}
