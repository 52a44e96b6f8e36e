using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;
using EngineCall = EgpuFleet.Kernels.Engines.ToolCall;
using EngineMessage = EgpuFleet.Kernels.Engines.ChatMessage;
using FleetMessage = EgpuFleet.Grains.Interfaces.Serving.ChatMessage;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>The fleet's prompts as engines have them.</summary>
internal static class Prompts
{
    /// <summary>Exactly one of the first three is set; none is an empty text, which starts from BOS alone.</summary>
    public static Prompt Of(string? text, int[]? tokenIds, FleetMessage[]? messages, ChatSettings? chat = null)
    {
        if (messages is null)
            return tokenIds is not null ? new TokenPrompt(tokenIds) : new TextPrompt(text ?? string.Empty);
        return new ChatPrompt([.. messages.Select(Of)]) { Tools = chat?.Tools, Thinking = chat?.Thinking };
    }

    private static EngineMessage Of(FleetMessage message) =>
        new(message.Role, message.Content)
        {
            ToolCalls = message.ToolCalls is { } calls
                ? [.. calls.Select(call => new EngineCall(call.Id, call.Name, call.Arguments))]
                : null,
            ToolCallId = message.ToolCallId,
            Reasoning = message.Reasoning,
        };
}
