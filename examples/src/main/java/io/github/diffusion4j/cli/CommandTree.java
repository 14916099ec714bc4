package io.github.diffusion4j.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine;

/** All commands. Only the one that is called is built, as that takes time. */
final class CommandTree {

  private static final Map<String, Function<Session, Object>> COMMANDS = new LinkedHashMap<>();

  static {
    COMMANDS.put("generate", GenerateCommand::new);
    COMMANDS.put("img2img", ImageToImageCommand::new);
    COMMANDS.put("inpaint", InpaintCommand::new);
    COMMANDS.put("control", ControlCommand::new);
    COMMANDS.put("upscale", UpscaleCommand::new);
    COMMANDS.put("inspect", InspectCommand::new);
    COMMANDS.put("export", ExportCommand::new);
    COMMANDS.put("tokens", TokensCommand::new);
    COMMANDS.put("schedulers", SchedulersCommand::new);
    COMMANDS.put("doctor", DoctorCommand::new);
    COMMANDS.put("completion", CompletionCommand::new);
  }

  private CommandTree() {}

  /** Runs a command and tells its exit code. */
  static int run(Session session, String... args) {
    boolean one = args.length > 0 && COMMANDS.containsKey(args[0]) && !args[0].equals("completion");
    return (one ? only(session, args[0]) : all(session)).execute(args);
  }

  /** The whole tree, for help and completion. */
  static CommandLine all(Session session) {
    CommandLine tree = new CommandLine(new RootCommand());
    COMMANDS.forEach((name, command) -> tree.addSubcommand(name, command.apply(session)));
    return settings(tree, session);
  }

  private static CommandLine only(Session session, String name) {
    CommandLine tree = new CommandLine(new RootCommand());
    tree.addSubcommand(name, COMMANDS.get(name).apply(session));
    return settings(tree, session);
  }

  private static CommandLine settings(CommandLine tree, Session session) {
    RootCommand root = tree.getCommand();
    Errors errors = new Errors(session, root);
    return tree.setOut(session.out())
        .setErr(session.err())
        .setUsageHelpWidth(Math.max(60, Math.min(120, session.screen().columns())))
        .setUsageHelpAutoWidth(false)
        .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(errors)
        .setExecutionExceptionHandler(errors)
        .setExecutionStrategy(
            parsed -> {
              Logging.configure(root.debug(), session.err());
              return new CommandLine.RunLast().execute(parsed);
            });
  }
}
