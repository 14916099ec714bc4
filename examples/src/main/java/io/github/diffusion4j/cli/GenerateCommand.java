package io.github.diffusion4j.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** Paints pictures. */
@Command(
    name = "generate",
    description = "Paint pictures from a prompt.",
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  diffusion4j generate \"a red apple on a light blue background\" --seed 42",
      "  diffusion4j generate \"a fox\" --count 4 --seed 7 --grid --out foxes/",
      "  diffusion4j generate --batch-file prompts.jsonl --out pictures/",
      "  diffusion4j generate --from a-fox-7.png --steps 50"
    })
final class GenerateCommand implements Callable<Integer> {

  private final Session session;

  @ParentCommand private RootCommand root;
  @Mixin private PaintOptions paint;

  GenerateCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    return paint.run(session, root, (request, pipeline) -> request);
  }
}
