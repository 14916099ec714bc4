package io.github.diffusion4j.graph;

import io.github.diffusion4j.ModelFormatException;
import java.util.Locale;

/** Activation functions, by the names of configurations. */
public enum Activation {
  /** x · sigmoid(x), also called swish (Hendrycks and Gimpel 2016, arXiv 1606.08415). */
  SILU {
    @Override
    public Value apply(Value x) {
      return x.times(x.map("Sigmoid"));
    }
  },
  /** x times the normal distribution function of x, exactly (arXiv 1606.08415). */
  GELU {
    @Override
    public Value apply(Value x) {
      return x.over(Math.sqrt(2)).map("Erf").plus(1).times(x).times(0.5);
    }
  },
  /** GELU by the hyperbolic tangent. */
  GELU_TANH {
    @Override
    public Value apply(Value x) {
      Value cubic = x.times(x).times(x).times(0.044715).plus(x);
      return cubic.times(Math.sqrt(2 / Math.PI)).map("Tanh").plus(1).times(x).times(0.5);
    }
  },
  /** x · sigmoid(1.702 x). */
  QUICK_GELU {
    @Override
    public Value apply(Value x) {
      return x.times(x.times(1.702).map("Sigmoid"));
    }
  },
  /** max(x, 0). */
  RELU {
    @Override
    public Value apply(Value x) {
      return x.map("Relu");
    }
  },
  /** x · tanh(softplus(x)) (Misra 2019, arXiv 1908.08681). */
  MISH {
    @Override
    public Value apply(Value x) {
      return x.times(x.map("Softplus").map("Tanh"));
    }
  };

  /**
   * The function of each element.
   *
   * @param x any shape
   * @return the same shape
   */
  public abstract Value apply(Value x);

  /**
   * The function that a configuration names.
   *
   * @param name such as {@code quick_gelu}
   * @return the function
   * @throws ModelFormatException if there is none of this name here
   */
  public static Activation named(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "silu", "swish" -> SILU;
      case "gelu" -> GELU;
      case "gelu_new", "gelu_pytorch_tanh", "gelu-approximate" -> GELU_TANH;
      case "quick_gelu" -> QUICK_GELU;
      case "relu" -> RELU;
      case "mish" -> MISH;
      default ->
          throw new ModelFormatException(
              "activation \""
                  + name
                  + "\" is not known, expected silu, gelu, gelu_new, quick_gelu,"
                  + " relu or mish");
    };
  }
}
