namespace LlmStageAudit.Modeling.Adapters;

/// <summary>The low-rank update scaling * B A of one linear layer (Hu et al. 2021).</summary>
/// <param name="A">[r, in]; of R variants [R, r, in].</param>
/// <param name="B">[out, r]; of R variants [R, out, r].</param>
/// <param name="Scaling">alpha / r, or alpha / sqrt(r) with rank-stabilised scaling.</param>
public readonly record struct LoraPair(Tensor A, Tensor B, double Scaling);
