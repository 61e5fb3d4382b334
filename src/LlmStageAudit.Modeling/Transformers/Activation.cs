namespace LlmStageAudit.Modeling.Transformers;

/// <summary>The activations checkpoints name in hidden_act.</summary>
public static class Activation
{
    /// <exception cref="ArgumentException">The name is none of them; configurations are checked before they get here.</exception>
    public static Func<Tensor, Tensor> Named(string name) => name switch
    {
        "gelu" => x => nn.functional.gelu(x),
        "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" => x => nn.functional.gelu(x, "tanh"),
        "relu" => nn.functional.relu,
        "silu" => nn.functional.silu,
        _ => throw new ArgumentException($"no activation '{name}'", nameof(name)),
    };
}
