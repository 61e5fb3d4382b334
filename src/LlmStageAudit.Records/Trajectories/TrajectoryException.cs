using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>A trajectory log that is absent, damaged, cut off, or not the one of its run and stage.</summary>
public sealed class TrajectoryException : InvalidInputException
{
    private const string WholeLog = "a whole trajectory log";

    private TrajectoryException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static TrajectoryException Missing(string path) =>
        new(Sentence(path, "no such file", "a trajectory log", "train the stage first"));

    internal static TrajectoryException Unreadable(string path, Exception inner) =>
        new(Sentence(path, $"cannot be read ({inner.Message})", "a trajectory log"), inner);

    internal static TrajectoryException Exists(string path) =>
        new(Sentence(path, "exists already", "no log yet", "go on with it, or train into another run folder"));

    internal static TrajectoryException NotALog(string path) =>
        new(Sentence($"{path}, byte 0", "not the preamble of a trajectory log, version 1", "a file written by train", "check the path"));

    internal static TrajectoryException Damaged(string path, int record, long byteOffset, string found) =>
        new(Sentence(At(path, record, byteOffset), found, WholeLog, "the log was damaged or changed; train the stage again"));

    internal static TrajectoryException HashMismatch(string path, int record, long byteOffset) =>
        new(Sentence(
            At(path, record, byteOffset),
            "the hash does not match the record",
            "an unchanged log",
            "the log was damaged or changed; train the stage again"));

    internal static TrajectoryException OtherGenesis(string path, long byteOffset) =>
        new(Sentence(
            At(path, record: 1, byteOffset),
            "the hash does not match the record",
            "the unchanged log of this run and stage",
            "it was damaged, changed, or belongs to another run or stage"));

    internal static TrajectoryException Torn(string path, int record, long byteOffset) =>
        new(Sentence(
            At(path, record, byteOffset),
            "the file ends inside a record",
            WholeLog,
            "writing was cut off: resume the run, which takes the log back to its last whole record"));

    internal static TrajectoryException TooFew(string path, int found, int expected) =>
        new(Sentence(path, $"{found} whole records", $"at least {expected}, which the saved state needs", "train the stage again"));

    internal static TrajectoryException WriteFailedBefore(string path, Exception inner) =>
        new(Sentence(path, $"an earlier write failed ({inner.Message})", "a log that is whole so far", "resume the run"), inner);

    // Records count from 1, like steps.
    private static string At(string path, int record, long byteOffset) => $"{path}, record {record}, byte {byteOffset}";
}
