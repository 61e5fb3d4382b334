using System.Text.Json;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Sealing;

namespace LlmStageAudit.Training.Runs;

/// <summary>What a stage leaves in a run folder.</summary>
/// <param name="Stage">Its name.</param>
/// <param name="LogBytes">The trajectory log.</param>
/// <param name="GradientBytes">Of those, gradients.</param>
/// <param name="StateBytes">The folder of the trainable state at the stage's end.</param>
public sealed record StageDisk(string Stage, long LogBytes, long GradientBytes, long StateBytes)
{
    /// <summary>Log and state together.</summary>
    public long Bytes => LogBytes + StateBytes;
}

/// <summary>
/// The bytes of a run folder before the run, from the formats' own layouts. States are exact; log and manifest are exact but for the
/// digits of numbers that only training finds (losses, gradient norms, seconds), which differ by a byte or two each.
/// </summary>
/// <param name="HeadBytes">Manifest, seal and initial state.</param>
/// <param name="Stages">In order.</param>
/// <param name="Files">How many files there will be.</param>
public sealed record RunDisk(long HeadBytes, IReadOnlyList<StageDisk> Stages, int Files)
{
    /// <summary>As long as the usual digits of a number that was computed in float32 and is written as a double.</summary>
    private const double UsualDigits = 0.6931471824645996;

    /// <summary>The whole folder.</summary>
    public long Bytes => HeadBytes + Stages.Sum(stage => stage.Bytes);

    /// <summary>Of those, logged gradients.</summary>
    public long GradientBytes => Stages.Sum(stage => stage.GradientBytes);

    /// <summary>Of a run with these materials.</summary>
    public static RunDisk Of(RunMaterials materials) => Of(materials, new RunStart());

    /// <summary>Of a run that leaves out a stage of another and starts where that stage started.</summary>
    /// <param name="materials">The other's model and data; it need not be trained yet.</param>
    /// <param name="path">Where the other lies, or would.</param>
    /// <param name="stage">The place of the stage left out.</param>
    public static RunDisk Without(RunMaterials materials, string path, int stage) =>
        Of(materials.After(stage), RunBeginning.Without(materials, new string('0', 32), path, stage));

    private static RunDisk Of(RunMaterials materials, RunStart start)
    {
        var model = materials.Model;
        var state = StateFolder.Sizes(model);
        var stateBytes = state.Sum(file => file.SizeBytes);
        var gradientBytes = materials.Configuration.Trajectory.Gradients ? sizeof(float) * model.Layout.Count : 0;
        StageDisk[] stages = [.. materials.Programs.Select((program, index) =>
        {
            var (firstStep, set) = (materials.FirstStep(index), materials.ExampleSets[index]);
            var records = program.Steps.Select(step => StageLog.Record(step, firstStep, UsualDigits, UsualDigits, set));
            var log = TrajectoryLogSize.Of(records, gradientBytes);
            return new StageDisk(program.Name, log, gradientBytes * program.Steps.Count, stateBytes);
        })];
        var manifest = Manifest(materials, start);
        var manifestBytes = JsonSerializer.SerializeToUtf8Bytes(manifest, ArtifactJson.Options).Length + 1;
        var sealBytes = SealSize.Of(manifest, state, [.. stages.Select(stage => stage.LogBytes)], gradientBytes);
        return new RunDisk(manifestBytes + sealBytes + stateBytes, stages, 2 + state.Count + (stages.Length * (state.Count + 1)));
    }

    private static RunManifest Manifest(RunMaterials materials, RunStart start)
    {
        var hash = new string('0', 64);
        var begun = RunBeginning.Manifest(materials, start, RunInputs.Records(materials, _ => hash));
        return begun with
        {
            RunId = hash[..32],
            CreatedUtc = DateTime.UnixEpoch.AddTicks(1),
            Stages = [.. begun.Stages.Zip(materials.Programs, (stage, program) => stage with
            {
                FirstStep = materials.FirstStep(stage.Index),
                Steps = program.Steps.Count,
                Examples = program.Objective.ExampleCount,
                LossFirst = UsualDigits,
                LossLast = UsualDigits,
                LossMean = UsualDigits,
                TrainSeconds = UsualDigits,
                LogSeconds = UsualDigits,
                TrajectoryHead = hash,
                State = StageState.Completed,
                StateSha256 = hash,
            })],
            TrainSeconds = UsualDigits,
            LogSeconds = UsualDigits,
            State = RunState.Completed,
        };
    }
}
