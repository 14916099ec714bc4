package io.github.diffusion4j.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;

/** Prints a completion script. */
@Command(
    name = "completion",
    description = {
      "Print a script that completes commands and options in bash and zsh.",
      "Use it with:  source <(diffusion4j completion)"
    })
final class CompletionCommand implements Runnable {

  private final Session session;

  CompletionCommand(Session session) {
    this.session = session;
  }

  @Override
  public void run() {
    session.out().print(AutoComplete.bash("diffusion4j", CommandTree.all(session)));
    session.out().flush();
  }
}
