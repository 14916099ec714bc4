package io.github.diffusion4j.scheduler;

/**
 * Noise put back before a step (Karras et al. 2022, algorithm 2).
 *
 * @param churn how much over the whole schedule, at least 0; 0: none is drawn
 * @param minSigma least sigma at which it is done
 * @param maxSigma greatest sigma at which it is done
 * @param noise standard deviation of the noise put back, at least 0
 */
public record Churn(double churn, double minSigma, double maxSigma, double noise) {

  /** No noise. */
  public static final Churn NONE = new Churn(0, 0, Double.POSITIVE_INFINITY, 1);

  public Churn {
    Check.between("s_churn", churn, 0, Double.MAX_VALUE);
    Check.between("s_tmin", minSigma, 0, Double.POSITIVE_INFINITY);
    Check.between("s_tmax", maxSigma, 0, Double.POSITIVE_INFINITY);
    Check.between("s_noise", noise, 0, Double.MAX_VALUE);
  }

  Churn with(ConfigReader in) {
    return new Churn(
        in.real("s_churn", churn),
        in.real("s_tmin", minSigma),
        in.real("s_tmax", maxSigma),
        in.real("s_noise", noise));
  }

  /** The sigma that a sample of one sigma is raised to, for a schedule of so many steps. */
  double raised(double sigma, int steps) {
    if (sigma < minSigma || sigma > maxSigma) {
      return sigma;
    }
    return sigma * (1 + Math.min(churn / steps, Math.sqrt(2) - 1));
  }

  /** What the noise is multiplied with that raises one sigma to another. */
  double deviation(double sigma, double raised) {
    return noise * Math.sqrt(raised * raised - sigma * sigma);
  }
}
