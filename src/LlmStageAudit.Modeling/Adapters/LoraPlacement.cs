using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Modeling.Adapters;

/// <summary>
/// Where an adapter's tensors go in a model: a pair (A, B) per targeted linear layer, in the model's order, then what is saved
/// whole: biases, and the head. Names are PEFT's keys, so a state written by name is an adapter file.
/// </summary>
internal sealed class LoraPlacement(
    LoraConfig config,
    IReadOnlyList<LinearModule> targets,
    IReadOnlyList<(string Key, WeightSlot Slot)> saved,
    IReadOnlyList<string> notes)
{
    private const string Prefix = AdapterFolder.KeyPrefix;
    private const string BiasSuffix = ".bias";
    private const string WeightSuffix = ".weight";

    public LoraConfig Config => config;

    /// <summary>Whole weights that train along, by their names in the base model.</summary>
    public IEnumerable<string> SavedWeights => saved.Select(whole => whole.Slot.Name);

    /// <summary>
    /// The key under which PEFT keeps the head's copy of a tied weight that trains, and the key of that weight; null where none does.
    /// </summary>
    public (string Key, string Of)? Twin { get; private init; }

    /// <summary>What of the settings acts on nothing.</summary>
    public IReadOnlyList<string> Notes => notes;

    /// <summary>
    /// Places pairs on those of the linear layers that an adapter targets. The trunk's biases train where the settings say so; the head is
    /// saved where modules_to_save names it.
    /// </summary>
    /// <exception cref="ModelingException">Nothing is targeted, or something that is not supported.</exception>
    public static LoraPlacement Of(LoraConfig config, string source, ModelModules modules)
    {
        RefuseOtherTargets(config, source, modules);
        var targets = modules.Linear.Where(module => config.Targets(module.Name)).ToArray();
        if (targets.Length == 0)
        {
            var suffixes = modules.Linear.Select(module => module.Name[(module.Name.LastIndexOf('.') + 1)..]).Distinct();
            var asked = config.TargetPattern ?? string.Join(", ", config.TargetModules);
            throw ModelingException.At(
                source, $"target_modules {asked} match no linear layer", $"some of {string.Join(", ", suffixes)}");
        }

        var saved = Biases(config, targets, modules.Trunk).Concat(SavedHead(config, source, modules)).ToArray();
        return new LoraPlacement(config, targets, saved, [.. Idle(config, source, modules, targets)])
        {
            Twin = modules.TiesHead && saved.Any(whole => whole.Slot == modules.Head)
                ? (Prefix + modules.HeadNames[0] + WeightSuffix, Prefix + modules.Head.Name)
                : null,
        };
    }

    /// <summary>PEFT adapts embeddings and heads too and stops at norms: to pass over any of them would make another adapter.</summary>
    private static void RefuseOtherTargets(LoraConfig config, string source, ModelModules modules)
    {
        if (config.TargetsAllLinear) return;
        var (name, kind) = modules.Others().FirstOrDefault(module => config.Targets(module.Name));
        if (name is null) return;
        throw ModelingException.At(
            source,
            $"target_modules matches {kind} '{name}', where LoRA is not supported",
            "linear layers of the blocks alone",
            "leave it out of target_modules");
    }

    /// <summary>
    /// The head, where modules_to_save names it: by the end of its name, as PEFT matches. Where it is tied to the embedding, the weight of
    /// both, if ensure_weight_tying says so; PEFT would otherwise train one of them and leave the other as in the base.
    /// </summary>
    private static IEnumerable<(string Key, WeightSlot Slot)> SavedHead(LoraConfig config, string source, ModelModules modules)
    {
        string? saved = null;
        var embedding = ModelModules.ModuleOf(modules.Embedding.Name);
        foreach (var module in config.SavedModules)
        {
            // PEFT lists both names a classification head may have; the one the model lacks is passed over there as here.
            var head = modules.HeadNames.FirstOrDefault(name => name.EndsWith(module, StringComparison.Ordinal));
            if (head is null && module is "classifier" or "score") continue;
            var found = modules.Others().Select(other => other.Name).Concat(modules.Linear.Select(linear => linear.Name))
                .FirstOrDefault(other => !modules.HeadNames.Contains(other) && other.EndsWith(module, StringComparison.Ordinal));
            var isTied = modules.TiesHead && (head is not null || found == embedding);
            if (isTied && config.EnsureWeightTying != true)
            {
                throw ModelingException.At(
                    source,
                    $"modules_to_save '{module}' of a model whose head '{modules.HeadNames[0]}' is tied to the embedding '{embedding}': "
                    + "PEFT trains one of them and leaves the other as in the base, which is not supported here",
                    "ensure_weight_tying true in adapter_config.json, by which they stay one weight",
                    "set it, or leave the module out");
            }

            if (!isTied && (head is null || found is not null))
            {
                throw ModelingException.At(
                    source,
                    $"modules_to_save '{module}' names {(found is null ? "no module of this model" : $"'{found}'")}",
                    $"the head alone, '{modules.HeadNames[0]}'",
                    "leave it at its default");
            }

            saved ??= isTied ? embedding : head;
        }

        if (saved is not null) yield return (Prefix + saved + WeightSuffix, modules.Head);
    }

    /// <summary>Names and patterns that match nothing, most often because they are another model's.</summary>
    private static IEnumerable<string> Idle(LoraConfig config, string source, ModelModules modules, LinearModule[] targets)
    {
        var listed = config.TargetModules.Select(name => ("target_modules", name));
        foreach (var (key, name) in listed.Concat(config.ExcludeModules.Select(name => ("exclude_modules", name))))
        {
            if (modules.Linear.Any(module => module.Name == name || module.Name.EndsWith($".{name}", StringComparison.Ordinal))) continue;
            yield return $"{source}: {key} '{name}' matches no layer of this model";
        }

        var ranks = config.RankPattern.Select(pair => ("rank_pattern", pair.Key));
        foreach (var (key, pattern) in ranks.Concat(config.AlphaPattern.Select(pair => ("alpha_pattern", pair.Key))))
        {
            var alone = config with { RankPattern = [new(pattern, -1)] };
            if (!targets.Any(target => alone.RankOf(target.Name) == -1))
                yield return $"{source}: {key} '{pattern}' matches no adapted layer";
        }
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

    /// <summary>A fresh factor, distributed as by PEFT for that <see cref="LoraStart"/>; the draws are this program's own.</summary>
    public static float[] Initialize(string start, string name, IReadOnlyList<long> shape, long seed)
    {
        var values = new float[shape[0] * shape[1]];
        if (start != LoraStart.Linear && name.EndsWith(".lora_B.weight", StringComparison.Ordinal)) return values;
        var random = StableRandom.For(seed, "lora", name);
        var (bound, deviation) = (1 / Math.Sqrt(shape[1]), 1.0 / shape[0]);
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(start == LoraStart.Gaussian ? random.NextNormal() * deviation : ((2 * random.NextDouble()) - 1) * bound);
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
