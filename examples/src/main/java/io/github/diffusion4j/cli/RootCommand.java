package io.github.diffusion4j.cli;

import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command without a subcommand: shows help. */
@Command(
    name = "diffusion4j",
    description = "Paints pictures from text with Stable Diffusion, in pure Java.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = RootCommand.Version.class,
    footer = {
      "",
      "Try:  diffusion4j generate \"a red apple on a light blue background\"",
      "Help for a command:  diffusion4j generate --help",
      "",
      "Exit codes: 0 done, 1 the model or the generation failed, 2 wrong usage, 130 cancelled."
    })
final class RootCommand implements Runnable {

  @Spec private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help.")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  private boolean version;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the log, timings, and the trace of an error.")
  private boolean debug;

  boolean debug() {
    return debug;
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** Version of the library, and of what it runs on. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version =
          Optional.ofNullable(RootCommand.class.getPackage().getImplementationVersion())
              .orElse("development");
      return new String[] {
        "diffusion4j " + version,
        "Java " + System.getProperty("java.version") + ", " + System.getProperty("java.vm.name")
      };
    }
  }
}
