package io.github.diffusion4j.cli;

import io.github.diffusion4j.LongPrompts;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.TextualInversion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How prompts are read. What is not given is left as it is. */
final class PromptArguments {

  @Option(
      names = "--prompt-syntax",
      paramLabel = "NAME",
      converter = SyntaxConverter.class,
      description =
          "Language of prompts: plain, a1111 ((a:1.3), BREAK, AND, [from:to:when]) or compel (a++,"
              + " .blend()). Default: plain.")
  private PromptSyntax syntax;

  @Option(
      names = "--long-prompts",
      paramLabel = "truncate|chunks",
      description =
          "Cut prompts that are longer than the text encoder reads, or encode them in chunks."
              + " Default: truncate.")
  private LongPrompts longPrompts;

  @Option(
      names = "--embedding",
      paramLabel = "[WORD=]FILE",
      description =
          "Teach the model a word by textual inversion (safetensors); may be given again. Default"
              + " WORD: the one in the file, else the file's name.")
  private List<String> embeddings = List.of();

  /** The options as they were, with what is given here changed. */
  TextOptions change(TextOptions text) {
    PromptOptions prompt = text.prompt();
    if (syntax != null) {
      prompt = PromptOptions.of(syntax).withLongPrompts(prompt.longPrompts());
    }
    return text.withPrompt(longPrompts == null ? prompt : prompt.withLongPrompts(longPrompts));
  }

  /** The words that the model is taught. */
  List<TextualInversion> inversions() throws IOException {
    List<TextualInversion> words = new ArrayList<>();
    for (String embedding : embeddings) {
      int equals = embedding.indexOf('=');
      Path file = Path.of(embedding.substring(equals + 1));
      words.add(
          equals < 0
              ? TextualInversion.load(file)
              : TextualInversion.load(file, embedding.substring(0, equals)));
    }
    return words;
  }

  /** Reads a syntax's name. */
  static final class SyntaxConverter implements ITypeConverter<PromptSyntax> {
    @Override
    public PromptSyntax convert(String text) {
      try {
        return PromptSyntax.of(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
