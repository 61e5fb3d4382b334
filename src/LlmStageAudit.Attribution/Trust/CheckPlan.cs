using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// Which of the steps a question's counterfactual makes in a stage are spot-checked, and for how much of the stage each check speaks.
/// They are drawn among steps that move parameters, at a learning rate above 0. The first of these is always one: a fresh AdamW moves
/// farthest on the least gradient there. The others divide the rest evenly. A check speaks for the steps of its part by their rates:
/// <code>repeated = sum lr_t / lr_checked      independent = sqrt(sum (lr_t / lr_checked)^2)</code>
/// Where fewer steps than <see cref="LeastSteps"/> move parameters after it, none is checked: that would cost what exact replay costs.
/// </summary>
internal sealed class CheckPlan
{
    public const int PerStage = 3;

    /// <summary>The fewest steps, over all stages, of which a few say what the others do.</summary>
    public const int LeastSteps = 4;

    /// <summary>The share of a stage's steps that is checked at most, beyond the first step and one for the others.</summary>
    private const int OneIn = 4;

    private readonly Dictionary<(int Question, StageProgram Program, int StageStep), CheckWeight> _weights = [];
    private readonly int[] _moving;

    public CheckPlan(IReadOnlyList<Counterfactual> questions, IReadOnlyList<StageProgram> programs)
    {
        _moving = new int[questions.Count];
        foreach (var (question, asked) in questions.Index())
        {
            var moving = programs.Select((program, stage) => program.Steps
                .Where(step => step.LearningRate > 0 && asked.Diverges(stage, step.StageStep)).ToArray()).ToArray();
            // A job that left the parameters where they were leaves nothing to those after it, whose optimizers are fresh.
            var isIdle = asked.Skipped.All(stage =>
                stage.Value is null && programs[stage.Key].Steps.All(step => step.LearningRate == 0));
            _moving[question] = isIdle ? 0 : moving.Sum(steps => steps.Length);
            if (_moving[question] < LeastSteps) continue;
            foreach (var (program, steps) in programs.Zip(moving))
            {
                foreach (var (from, to, at) in Parts(steps.Length))
                {
                    double[] rates = [.. steps[from..to].Select(step => step.LearningRate / steps[at].LearningRate)];
                    _weights[(question, program, steps[at].StageStep)] =
                        new CheckWeight(rates.Sum(), Math.Sqrt(rates.Sum(rate => rate * rate)));
                }
            }
        }
    }

    /// <summary>Steps that move a question's parameters from another state than the run's.</summary>
    public int MovingSteps(int question) => _moving[question];

    /// <summary>What a check of this step speaks for; null: it is not checked.</summary>
    public CheckWeight? Of(int question, StageProgram program, int stageStep) =>
        _weights.TryGetValue((question, program, stageStep), out var weight) ? weight : null;

    /// <summary>The parts that so many steps are divided into, ends excluded, and the step of each that is checked; from 0.</summary>
    public static IEnumerable<(int From, int To, int At)> Parts(int total)
    {
        if (total == 0) yield break;
        var others = total == 1 ? 0 : Math.Clamp(total / OneIn, 2, PerStage) - 1;
        var head = others == 0 ? total : Math.Max(1, total / 10);
        yield return (0, head, 0);
        for (var part = 0; part < others; part++)
        {
            var (from, to) = (head + (part * (total - head) / others), head + ((part + 1) * (total - head) / others));
            yield return (from, to, (from + to) / 2);
        }
    }
}

/// <summary>How many steps like it a check speaks for: where errors repeat from step to step, and where they are drawn anew.</summary>
internal readonly record struct CheckWeight(double Repeated, double Independent);
