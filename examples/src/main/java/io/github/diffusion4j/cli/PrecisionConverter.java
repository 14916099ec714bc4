package io.github.diffusion4j.cli;

import io.github.diffusion4j.RuntimeOptions.Precision;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a precision by its usual short name. */
final class PrecisionConverter implements ITypeConverter<Precision> {
  @Override
  public Precision convert(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "auto" -> Precision.AUTO;
      case "stored" -> Precision.STORED;
      case "fp32" -> Precision.FLOAT32;
      case "fp16" -> Precision.FLOAT16;
      case "bf16" -> Precision.BFLOAT16;
      default ->
          throw new TypeConversionException(
              "expected auto, stored, fp32, fp16 or bf16, got " + text);
    };
  }
}
