namespace LlmStageAudit.Foundation.Errors;

/// <summary>
/// What a user can set, for texts that speak of it. They name the concept, or say what the program in front of the user calls it:
/// <see cref="Spelling"/> is like a culture, and libraries know no flag.
/// </summary>
public sealed class Setting
{
    private static readonly AsyncLocal<IReadOnlyDictionary<Setting, string>?> s_spelling = new();
    private static readonly List<Setting> s_all = [];
    private readonly string _concept;

    private Setting(string concept)
    {
        _concept = concept;
        s_all.Add(this);
    }

    /// <summary>How settings are spelled in all that follows in the flow of control; null, or not in it: by their concept.</summary>
    public static IReadOnlyDictionary<Setting, string>? Spelling
    {
        get => s_spelling.Value;
        set => s_spelling.Value = value;
    }

    /// <summary>Every setting, in alphabetical order of the properties here.</summary>
    public static IReadOnlyList<Setting> All => s_all;

    /// <summary>That the estimator is left to the program.</summary>
    public static Setting AutomaticChoice { get; } = new("the automatic choice");
    /// <summary>What an attribution may cost, in trainings of the whole run.</summary>
    public static Setting Budget { get; } = new("the budget");
    /// <summary>The probability with which the first of a ranking must be right.</summary>
    public static Setting Confidence { get; } = new("the confidence");
    /// <summary>The folder that files named by files must lie in.</summary>
    public static Setting Confinement { get; } = new("the confinement");
    /// <summary>The identity column that a ranking is about.</summary>
    public static Setting Confounder { get; } = new("the confounder");
    /// <summary>Which curvature an adjoint goes back through.</summary>
    public static Setting Curvature { get; } = new("the curvature");
    /// <summary>The file of effects to go on from.</summary>
    public static Setting Effects { get; } = new("the effects");
    /// <summary>The least epsilon of AdamW in derivatives.</summary>
    public static Setting EpsilonFloor { get; } = new("the epsilon floor");
    /// <summary>The estimators to compare.</summary>
    public static Setting Estimators { get; } = new("the estimators");
    /// <summary>What runs the jobs of a plan.</summary>
    public static Setting Executor { get; } = new("the executor");
    /// <summary>Parts of the probe that are swept beside each other, to give scores an interval.</summary>
    public static Setting Folds { get; } = new("the folds");
    /// <summary>Starting though memory or disk will probably not suffice.</summary>
    public static Setting ForcedStart { get; } = new("forced start");
    /// <summary>Where a replay takes the gradients of the counterfactual from.</summary>
    public static Setting GradientSource { get; } = new("the gradient source");
    /// <summary>Who signs, or must have signed.</summary>
    public static Setting Identity { get; } = new("the identity");
    /// <summary>With how few rows of a label nothing is called significant or not.</summary>
    public static Setting LeastRows { get; } = new("the least rows");
    /// <summary>The stages to leave out.</summary>
    public static Setting LeavingOut { get; } = new("leaving out");
    /// <summary>What an effect is of: a stage, a step or an example.</summary>
    public static Setting Level { get; } = new("the level");
    /// <summary>How effects are estimated.</summary>
    public static Setting Method { get; } = new("the method");
    /// <summary>The least correlation that passes a verification.</summary>
    public static Setting MinPearson { get; } = new("the least Pearson");
    /// <summary>The file or folder to write.</summary>
    public static Setting Output { get; } = new("output");
    /// <summary>A value put over what the configuration says.</summary>
    public static Setting Override { get; } = new("override");
    /// <summary>The result that a plan goes by.</summary>
    public static Setting PlannedFrom { get; } = new("the result to plan by");
    /// <summary>The probe that effects are measured on.</summary>
    public static Setting Probe { get; } = new("the probe");
    /// <summary>How an adjoint reads effects out at the probe.</summary>
    public static Setting Readout { get; } = new("the readout");
    /// <summary>How many logged steps are computed again when a log is verified.</summary>
    public static Setting ReplayedSteps { get; } = new("the number of steps to replay");
    /// <summary>Going on with the training of a run that was stopped.</summary>
    public static Setting ResumedTraining { get; } = new("resumed training");
    /// <summary>Going on with a computation that was stopped.</summary>
    public static Setting Resuming { get; } = new("resuming");
    /// <summary>The share of each batch that sampled gradients are taken of.</summary>
    public static Setting Rho { get; } = new("the share of each batch");
    /// <summary>What estimates effects before some are settled exactly.</summary>
    public static Setting Screen { get; } = new("the screen");
    /// <summary>How many further seeds the run is trained under.</summary>
    public static Setting Seeds { get; } = new("the further seeds");
    /// <summary>The file of keys whose signatures count.</summary>
    public static Setting Signers { get; } = new("the signers' file");
    /// <summary>The SSH key that signs.</summary>
    public static Setting SigningKey { get; } = new("the key");
    /// <summary>The steps to leave out.</summary>
    public static Setting Steps { get; } = new("the steps");
    /// <summary>How many of a ranking's first are asked for.</summary>
    public static Setting TopK { get; } = new("the top-k");
    /// <summary>Whether stages or single steps are left out.</summary>
    public static Setting Treatment { get; } = new("the treatment");

    /// <summary>As <see cref="ToString"/>.</summary>
    public static implicit operator string(Setting setting) => setting.ToString();

    /// <summary>A verb's command as the program spells it, for pasting; without a program: "attribute RUN with the level step".</summary>
    public static string Command(string verb, string operand, params IEnumerable<(Setting Setting, string Value)> choices)
    {
        var chosen = Choices(choices);
        if (Spelling is not null) return $"stageaudit {verb} {operand} {chosen}".TrimEnd();
        return chosen.Length == 0 ? $"{verb} {operand}" : $"{verb} {operand} with {chosen}";
    }

    /// <summary>Settings with their values, as <see cref="Command"/> spells them.</summary>
    public static string Choices(params IEnumerable<(Setting Setting, string Value)> choices) =>
        string.Join(Spelling is null ? ", " : " ", choices.Select(choice => $"{choice.Setting} {choice.Value}".TrimEnd()));

    /// <summary>The program's spelling where <see cref="Spelling"/> has one, else the concept in words.</summary>
    public override string ToString() => Spelling is { } spelling && spelling.TryGetValue(this, out var spelled) ? spelled : _concept;
}
