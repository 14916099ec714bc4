package io.github.diffusion4j.cli;

import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.TokenizedPrompt;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.family.ModelTokenizers;
import io.github.diffusion4j.prompt.PromptChunk;
import io.github.diffusion4j.prompt.PromptSchedule;
import io.github.diffusion4j.prompt.WebUiPrompt;
import io.github.diffusion4j.prompt.WeightedToken;
import io.github.diffusion4j.tokenizer.TokenIds;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what a text encoder reads of a prompt. */
@Command(
    name = "tokens",
    description = "Show a prompt's tokens as the model's CLIP text encoder reads them.",
    sortOptions = false)
final class TokensCommand implements Callable<Integer> {

  private static final int USUAL_STEPS = 20;

  private final Session session;

  @Parameters(paramLabel = "PROMPT", description = "The prompt.")
  private String prompt;

  @Mixin private PromptArguments arguments;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps that [from:to:when] is worked out for. Default: " + USUAL_STEPS + ".")
  private int steps = USUAL_STEPS;

  @Mixin private ModelOptions model;

  TokensCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    PromptOptions options = arguments.change(TextOptions.DEFAULT).prompt();
    ModelLayout layout = model.layout().with(arguments.inversions());
    StringBuilder text = new StringBuilder();
    try (Tokenizer tokenizer = ModelTokenizers.clip(layout)) {
      if (options.syntax() == PromptSyntax.WEB_UI) {
        for (WebUiPrompt.Branch branch : WebUiPrompt.parse(prompt, steps).branches()) {
          for (PromptSchedule.Stage stage : branch.schedule().stages()) {
            line(
                text,
                "weight %s, to step %d: %s",
                number(branch.weight()),
                stage.lastStep(),
                stage.text().strip());
            show(text, tokenizer, TokenizedPrompt.of(tokenizer, stage.text(), options));
          }
        }
      } else {
        show(text, tokenizer, TokenizedPrompt.of(tokenizer, prompt, options));
      }
    }
    session.out().print(text);
    session.out().flush();
    return 0;
  }

  private static void show(StringBuilder text, Tokenizer tokenizer, TokenizedPrompt prompt) {
    for (TokenizedPrompt.Clause clause : prompt.clauses()) {
      if (prompt.clauses().size() > 1 || clause.weight() != 1) {
        line(text, "clause of weight %s", number(clause.weight()));
      }
      for (int i = 0; i < clause.texts().size(); i++) {
        if (clause.texts().size() > 1) {
          line(text, "blended by %s", number(clause.shares().get(i)));
        }
        for (TokenizedPrompt.Section section : clause.texts().get(i).sections()) {
          section.chunks().forEach(chunk -> show(text, tokenizer, chunk));
          if (!section.cut().isEmpty()) {
            line(text, "cut: %s", section.cut());
          }
        }
      }
    }
  }

  private static void show(StringBuilder text, Tokenizer tokenizer, PromptChunk chunk) {
    TokenIds ids = chunk.ids();
    line(
        text,
        "chunk of %d tokens, room for %d",
        chunk.tokens().size(),
        chunk.frame().capacity(chunk.length()));
    line(text, "%5s %7s %8s  %s", "at", "id", "weight", "piece");
    int at = chunk.frame().before().size();
    for (WeightedToken token : chunk.tokens()) {
      line(text, "%5d %7d %8s  %s", at, ids.id(at), number(token.weight()), token.token().piece());
      at++;
    }
    List<Integer> frame = chunk.frame().before();
    line(
        text,
        "start %s, end %s, then %d times %d",
        frame,
        chunk.frame().after(),
        chunk.length() - ids.attendedLength(),
        chunk.frame().pad());
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
  }

  private static String number(double value) {
    return new BigDecimal(value, new MathContext(4)).stripTrailingZeros().toPlainString();
  }
}
