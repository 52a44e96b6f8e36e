namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>Stable codes of <see cref="TrainingFinding"/>.</summary>
public static class TrainingFault
{
    /// <summary>The file has no sample.</summary>
    public const string Empty = "empty_file";

    /// <summary>The line is longer than <see cref="Limits.TrainingLineBytes"/>.</summary>
    public const string LineTooLong = "line_too_long";

    /// <summary>The line is not valid UTF-8, or has half a surrogate pair in an escape.</summary>
    public const string Encoding = "invalid_utf8";

    /// <summary>The line is no JSON object, names a key twice or is nested too deeply.</summary>
    public const string Json = "malformed_json";

    /// <summary>The line has none of the known shapes, or several.</summary>
    public const string Shape = "unknown_shape";

    /// <summary>The line has another shape than the first.</summary>
    public const string MixedShapes = "mixed_shapes";

    /// <summary>A value is missing, of the wrong type or not allowed.</summary>
    public const string Value = "invalid_value";

    /// <summary>A text is empty, or there are no messages.</summary>
    public const string EmptyText = "empty_text";

    /// <summary>No message of the assistant is trained.</summary>
    public const string NothingToTrain = "no_assistant_message";

    /// <summary>A key is known but what it asks for is not supported.</summary>
    public const string Unsupported = "unsupported_key";

    /// <summary>A warning: a key is not known, and ignored.</summary>
    public const string UnknownKey = "unknown_key";

    /// <summary>A warning: messages after the last one of the assistant train nothing.</summary>
    public const string TrailingMessages = "trailing_messages";

    /// <summary>The file has more than <see cref="Limits.TrainingSamples"/> samples.</summary>
    public const string TooManySamples = "too_many_samples";

    /// <summary>The sample has more tokens than the context.</summary>
    public const string SampleTooLong = "sample_too_long";

    /// <summary>The model's chat template refuses the conversation, or does not show where the assistant speaks.</summary>
    public const string Template = "chat_template";

    /// <summary>The file has more than <see cref="Limits.TrainingTokens"/> tokens.</summary>
    public const string TooManyTokens = "too_many_tokens";
}
