package io.github.diffusion4j;

/** A network failed while it ran: the message names the component and the runtime's error. */
public final class InferenceException extends DiffusionException {

  private static final long serialVersionUID = 1L;

  private final String component;

  /**
   * A failed run.
   *
   * @param component the network, such as {@code unet}
   * @param message what happened
   * @param cause what the runtime threw
   */
  public InferenceException(String component, String message, Throwable cause) {
    super(component + ": " + message, cause);
    this.component = component;
  }

  /**
   * The network that failed.
   *
   * @return its name, such as {@code unet}
   */
  public String component() {
    return component;
  }
}
