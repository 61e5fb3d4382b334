using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>A trajectory log that is absent, damaged, cut off, or not the one of its run and stage.</summary>
public sealed class TrajectoryException : InvalidInputException
{
    private const string WholeLog = "a whole trajectory log";
    private const string TrainAgain = "the log was damaged or changed; train the stage again";
    private const string OtherHash = "the hash does not match the record";

    private TrajectoryException(string where, string found, string expected, string? remedy, Exception? inner = null)
        : base(Sentence(where, found, expected, remedy), inner)
    {
    }

    // Records count from 1, like steps.
    private TrajectoryException(string path, int record, long byteOffset, string found, string expected, string remedy)
        : this($"{path}, record {record}, byte {byteOffset}", found, expected, remedy)
    {
    }

    internal static TrajectoryException Missing(string path) =>
        new(path, "no such file", "a trajectory log", "train the stage first");

    internal static TrajectoryException Unreadable(string path, Exception inner) =>
        new(path, $"cannot be read ({inner.Message})", "a trajectory log", null, inner);

    internal static TrajectoryException Exists(string path) =>
        new(path, "exists already", "no log yet", "go on with it, or train into another run folder");

    internal static TrajectoryException NotALog(string path) =>
        new($"{path}, byte 0", "not the preamble of a trajectory log, version 1", "a file written by train", "check the path");

    internal static TrajectoryException Damaged(string path, int record, long byteOffset, string found) =>
        new(path, record, byteOffset, found, WholeLog, TrainAgain);

    internal static TrajectoryException HashMismatch(string path, int record, long byteOffset) =>
        new(path, record, byteOffset, OtherHash, "an unchanged log", TrainAgain);

    internal static TrajectoryException OtherGenesis(string path, long byteOffset) => new(
        path, 1, byteOffset, OtherHash,
        "the unchanged log of this run and stage", "it was damaged, changed, or belongs to another run or stage");

    internal static TrajectoryException Torn(string path, int record, long byteOffset) => new(
        path, record, byteOffset, "the file ends inside a record",
        WholeLog, "writing was cut off: resume the run, which takes the log back to its last whole record");

    internal static TrajectoryException TooFew(string path, int found, int expected) =>
        new(path, $"{found} whole records", $"at least {expected}, which the saved state needs", "train the stage again");

    internal static TrajectoryException WriteFailedBefore(string path, Exception inner) =>
        new(path, $"an earlier write failed ({inner.Message})", "a log that is whole so far", "resume the run", inner);
}
