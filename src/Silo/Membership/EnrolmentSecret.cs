using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Silo.Hosting;

namespace EgpuFleet.Silo.Membership;

/// <summary>
/// What a caller must know to enrol a node: 256 random bits as 64 hex digits, made at first start, in a file that only its
/// owner reads. Every control silo has its own and accepts those of the others, of which it knows the hashes.
/// </summary>
public sealed class EnrolmentSecret
{
    private const int Bytes = 32;

    private readonly byte[] hash;

    private EnrolmentSecret(string secret) => (hash, Sha256) = (HashOf(secret), Sha256Of(secret));

    /// <summary>Lower-case hex SHA-256 of the secret.</summary>
    public string Sha256 { get; }

    public static string Sha256Of(string secret) => Convert.ToHexStringLower(HashOf(secret));

    /// <summary>Whether the text is the secret; takes equally long for any wrong one.</summary>
    public bool Matches(string text) => CryptographicOperations.FixedTimeEquals(HashOf(text), hash);

    /// <exception cref="StartupException">The file does not hold such a secret.</exception>
    public static EnrolmentSecret ReadOrCreate(DataFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var path = folder.EnrolmentSecret;
        if (!File.Exists(path))
            PrivateFile.Replace(path, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes)));
        var text = File.ReadAllText(path).Trim();
        return text.Length == 2 * Bytes
            ? new EnrolmentSecret(text)
            : throw new StartupException($"'{path}' is damaged. Remove it; a new one is made at the next start.");
    }

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
