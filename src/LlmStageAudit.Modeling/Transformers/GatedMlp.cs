namespace LlmStageAudit.Modeling.Transformers;

/// <summary>The gated MLP (Shazeer 2020): down(activation(gate x) * up x).</summary>
public sealed class GatedMlp(Func<Tensor, Tensor> activation)
{
    /// <param name="weights">Holds gate_proj, up_proj and down_proj under the name.</param>
    /// <param name="name">Of the MLP, such as model.layers.0.mlp.</param>
    /// <param name="x">[B, T, H].</param>
    public Tensor Apply(ForwardWeights weights, string name, Tensor x) => WrappedTensorDisposeScope(() => weights.Linear(
        name + ".down_proj", activation(weights.Linear(name + ".gate_proj", x)) * weights.Linear(name + ".up_proj", x)));
}
