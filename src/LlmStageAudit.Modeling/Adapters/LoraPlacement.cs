using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Modeling.Adapters;

/// <summary>
/// Where an adapter's tensors go in a model: a pair (A, B) per targeted linear layer, in the model's order, then what is saved
/// whole: biases, and the head. Names are PEFT's keys, so a state written by name is an adapter file.
/// </summary>
internal sealed class LoraPlacement(
    LoraConfig config, IReadOnlyList<LinearModule> targets, IReadOnlyList<(string Key, WeightSlot Slot)> saved)
{
    private const string Prefix = AdapterFolder.KeyPrefix;
    private const string BiasSuffix = ".bias";

    public LoraConfig Config => config;

    /// <summary>Whole weights that train along, by their names in the base model.</summary>
    public IEnumerable<string> SavedWeights => saved.Select(whole => whole.Slot.Name);

    /// <summary>
    /// Places pairs on those of the linear layers that an adapter targets. The trunk's biases train where the settings say so; the head is
    /// saved where modules_to_save names it.
    /// </summary>
    /// <exception cref="ModelingException">Nothing is targeted, or a setting is not supported.</exception>
    public static LoraPlacement Of(
        LoraConfig config, string source, IReadOnlyList<LinearModule> modules, IReadOnlyList<WeightSlot> trunk, WeightSlot head)
    {
        var targets = modules.Where(module => config.Targets(module.Name)).ToArray();
        if (targets.Length == 0)
        {
            var suffixes = modules.Select(module => module.Name[(module.Name.LastIndexOf('.') + 1)..]).Distinct();
            var asked = config.TargetPattern ?? string.Join(", ", config.TargetModules);
            throw ModelingException.At(
                source, $"target_modules {asked} match no linear layer", $"some of {string.Join(", ", suffixes)}");
        }

        var headModule = head.Name[..^".weight".Length];
        var saved = Biases(config, targets, trunk).ToList();
        foreach (var module in config.SavedModules)
        {
            if (module == headModule) saved.Add((Prefix + head.Name, head));
            // PEFT lists both names a classification head may have; the one the model lacks is passed over there as here.
            else if (module is not ("classifier" or "score"))
                throw ModelingException.At(
                    source, $"modules_to_save '{module}' (only the head, '{headModule}', can be saved whole) is not supported", null,
                    "leave it at its default");
        }

        return new LoraPlacement(config, targets, saved);
    }

    /// <summary>Names and shapes of the trainable parameters.</summary>
    public IEnumerable<(string Name, IReadOnlyList<long> Shape)> Parameters()
    {
        foreach (var target in targets)
        {
            yield return (Prefix + target.Name + ".lora_A.weight", [config.RankOf(target.Name), target.In]);
            yield return (Prefix + target.Name + ".lora_B.weight", [target.Out, config.RankOf(target.Name)]);
        }

        foreach (var (key, slot) in saved) yield return (key, slot.Shape);
    }

    /// <summary>The base weight a parameter that is saved whole replaces; null for a LoRA tensor.</summary>
    public WeightSlot? Replaces(string parameterName) => saved.FirstOrDefault(whole => whole.Key == parameterName).Slot;

    /// <summary>PEFT's start: A Kaiming-uniform with a = sqrt 5, that is uniform in +-1/sqrt(in); B zero.</summary>
    public static float[] Initialize(string name, IReadOnlyList<long> shape, long seed)
    {
        var values = new float[shape[0] * shape[1]];
        if (name.EndsWith(".lora_B.weight", StringComparison.Ordinal)) return values;
        var random = StableRandom.For(seed, "lora", name);
        var bound = 1 / Math.Sqrt(shape[1]);
        for (var i = 0; i < values.Length; i++) values[i] = (float)(((2 * random.NextDouble()) - 1) * bound);
        return values;
    }

    /// <summary>
    /// The biases that train along: all of them, or those of the targeted layers. PEFT wraps a targeted layer, which shows in
    /// its bias's key.
    /// </summary>
    private static IEnumerable<(string Key, WeightSlot Slot)> Biases(
        LoraConfig config, IReadOnlyList<LinearModule> targets, IReadOnlyList<WeightSlot> trunk)
    {
        if (config.Bias == "none") yield break;
        var wrapped = targets.Select(target => target.Name + BiasSuffix).ToHashSet();
        foreach (var slot in trunk.Where(slot => slot.Name.EndsWith(BiasSuffix, StringComparison.Ordinal)))
        {
            if (wrapped.Contains(slot.Name)) yield return ($"{Prefix}{slot.Name[..^BiasSuffix.Length]}.base_layer{BiasSuffix}", slot);
            else if (config.Bias == "all") yield return (Prefix + slot.Name, slot);
        }
    }

    /// <summary>Hands each parameter to the place it acts in.</summary>
    public void Distribute(IReadOnlyList<Tensor> parameters, Dictionary<string, Tensor> trainable, Dictionary<string, LoraPair> lora)
    {
        for (var i = 0; i < targets.Count; i++)
            lora[targets[i].Name] = new LoraPair(parameters[2 * i], parameters[(2 * i) + 1], config.ScalingOf(targets[i].Name));
        for (var i = 0; i < saved.Count; i++) trainable[saved[i].Slot.Name] = parameters[(2 * targets.Count) + i];
    }
}

/// <summary>The low-rank update scaling * B A of one linear layer (Hu et al. 2021).</summary>
/// <param name="A">[r, in]; of R variants [R, r, in].</param>
/// <param name="B">[out, r]; of R variants [R, out, r].</param>
/// <param name="Scaling">alpha / r, or alpha / sqrt(r) with rank-stabilised scaling.</param>
internal readonly record struct LoraPair(Tensor A, Tensor B, double Scaling);
