namespace LlmStageAudit.Records.Runs;

public enum InputRole
{
    Model,
    Adapter,
    Tokenizer,
    Data,
    Probe,
}
