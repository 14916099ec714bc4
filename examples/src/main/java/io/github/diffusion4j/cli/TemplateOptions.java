package io.github.diffusion4j.cli;

import io.github.diffusion4j.prompt.PromptMatrix;
import io.github.diffusion4j.prompt.PromptTemplate;
import io.github.diffusion4j.prompt.Wildcards;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Whether prompts have choices. Without any of these options they are taken as they are. */
final class TemplateOptions {

  @Option(
      names = "--templates",
      description =
          "Draw one of {a|b|c} in prompts from each picture's seed; \\{ is a plain brace.")
  private boolean templates;

  @Option(
      names = "--wildcards",
      paramLabel = "DIR",
      description = "As --templates, and draw a line of DIR/name.txt for __name__.")
  private Path wildcards;

  @Option(
      names = "--matrix",
      description = "Paint all combinations of a prompt's parts: first part|maybe|maybe …")
  private boolean matrix;

  /** Whether any is given. */
  boolean wanted() {
    return templates || wildcards != null || matrix;
  }

  /** The prompts of a template: choices are drawn first, then the matrix is made. */
  List<String> expand(String prompt, long seed) throws IOException {
    String drawn = prompt;
    if (templates || wildcards != null) {
      Wildcards lists = wildcards == null ? Wildcards.none() : Wildcards.in(wildcards);
      drawn = PromptTemplate.parse(prompt).draw(seed, lists);
    }
    return matrix ? PromptMatrix.expand(drawn) : List.of(drawn);
  }
}
