package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.examples.JavaProcess;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The command line as a process of its own. */
class ProcessTest {

  private static final long PATIENCE_SECONDS = 120;

  @TempDir Path folder;

  private Process start(String... args) throws IOException {
    List<String> command = new ArrayList<>(interruptible());
    String classPath = System.getProperty("java.class.path");
    command.addAll(JavaProcess.command(classPath, Main.class, List.of(args)));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.redirectErrorStream(true);
    builder.environment().remove("DIFFUSION4J_MODEL");
    return builder.start();
  }

  /** Gives the child its SIGINT back where this process was started with it ignored. */
  private static List<String> interruptible() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (Files.isReadable(status)) {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith("SigIgn:")
            && (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0) {
          return List.of("env", "--default-signal=INT");
        }
      }
    }
    return List.of();
  }

  private static String rest(BufferedReader reader) throws IOException {
    StringBuilder text = new StringBuilder();
    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
      text.append(line).append('\n');
    }
    return text.toString();
  }

  private static BufferedReader reader(Process process) {
    return new BufferedReader(
        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  private static int exitCode(Process process) throws InterruptedException {
    assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "the process does not end");
    return process.exitValue();
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void paintsIntoTheCurrentFolderWithTheModelOfTheClassPath() throws Exception {
    Process process = start("generate", "rocket", "--steps=1", "--seed=1");
    try (BufferedReader reader = reader(process)) {
      String text = rest(reader);
      assertEquals(0, exitCode(process), text);
      assertTrue(text.startsWith("rocket-1.png  (seed 1, 128x128, 1 steps"), text);
      assertEquals(1, text.lines().count(), text);
    }
    assertEquals(List.of("rocket-1.png"), files());
  }

  @Test
  void passesExitCodesOn() throws Exception {
    Process process = start("generate", "rocket", "--model=missing");
    try (BufferedReader reader = reader(process)) {
      assertEquals("diffusion4j: missing: no model there\n", rest(reader));
    }
    assertEquals(1, exitCode(process));
    assertEquals(2, exitCode(start("generate")));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void interruptedLeavesNoFile() throws Exception {
    Process process = start("generate", "rocket", "--steps=1000", "--seed=1", "--debug");
    try (BufferedReader reader = reader(process)) {
      String line = reader.readLine();
      while (line != null && !line.contains("first denoising step is done")) {
        line = reader.readLine();
      }
      assertTrue(line != null, "no step was made");
      String kill = "kill -INT " + process.pid();
      assertEquals(0, exitCode(new ProcessBuilder("sh", "-c", kill).start()));
      String text = rest(reader);
      assertEquals(130, exitCode(process), text);
      assertTrue(text.contains("diffusion4j: cancelled"), text);
    }
    assertEquals(List.of(), files());
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void theLauncherFindsItsFolderThroughLinks() throws Exception {
    Path launcher = Path.of("../diffusion4j").toRealPath();
    Path link = Files.createSymbolicLink(folder.resolve("a link"), launcher);
    ProcessBuilder builder = new ProcessBuilder(link.toString(), "--version");
    builder.environment().put("JAVA_HOME", folder.toString());
    Process process = builder.redirectErrorStream(true).start();
    try (BufferedReader reader = reader(process)) {
      String text = rest(reader);
      assertTrue(text.contains("Java 17 or newer is needed"), text);
    }
    assertEquals(1, exitCode(process));
    assertTrue(Files.readString(launcher).startsWith("#!/bin/sh"), File.separator);
  }
}
