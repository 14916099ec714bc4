package io.github.diffusion4j.cli;

import io.github.diffusion4j.DiffusionException;
import io.github.diffusion4j.GenerationCancelledException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Makes one clear line and an exit code of whatever goes wrong; {@code --debug} adds the trace.
 *
 * @param session where the line goes
 * @param root knows whether to add the trace
 */
record Errors(Session session, RootCommand root)
    implements IParameterExceptionHandler, IExecutionExceptionHandler {

  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int CANCELLED = 130;

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    String message = e.getMessage();
    if (e instanceof UnmatchedArgumentException unmatched) {
      String first = unmatched.getUnmatched().get(0);
      if (e.getCommandLine().getParent() == null && !first.startsWith("-")) {
        message = "there is no command \"" + first + "\"";
      }
      List<String> similar = unmatched.getSuggestions();
      message += similar.isEmpty() ? "" : "; did you mean " + String.join(" or ", similar) + "?";
    }
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    return fail(USAGE, message + " (see " + command + " --help)", e);
  }

  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult parsed) {
    return handle(e);
  }

  /** The line and exit code of an error. */
  int handle(Throwable e) {
    if (e instanceof GenerationCancelledException) {
      return fail(CANCELLED, "cancelled", e);
    }
    if (e instanceof IllegalArgumentException) {
      return fail(USAGE, e.getMessage(), e);
    }
    if (e instanceof DiffusionException) {
      return fail(FAILED, e.getMessage(), e);
    }
    if (e instanceof IOException file) {
      return fail(FAILED, describe(file), e);
    }
    if (e instanceof UncheckedIOException file) {
      return fail(FAILED, file.getMessage() + ": " + describe(file.getCause()), e);
    }
    return fail(FAILED, "unexpected " + e + "; --debug shows where", e);
  }

  private static String describe(IOException e) {
    if (e instanceof FileSystemException file && file.getReason() == null) {
      return e instanceof NoSuchFileException
          ? file.getFile() + ": there is no such file"
          : e instanceof AccessDeniedException
              ? file.getFile() + ": access denied"
              : e.getClass().getSimpleName() + ": " + e.getMessage();
    }
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }

  private int fail(int code, String message, Throwable e) {
    session.note(String.valueOf(message).strip().replaceAll("\\s*\\R\\s*", " "));
    if (root.debug()) {
      e.printStackTrace(session.err());
      session.err().flush();
    }
    return code;
  }
}
