namespace LlmStageAudit.Artifacts.Runs;

public enum InputRole
{
    Model,
    Adapter,
    Tokenizer,
    Data,
    Probe,
}
