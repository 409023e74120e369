import { useState } from 'preact/hooks';

/**
 * Asks for the API token.
 *
 * @param isRefused true if one was given that the sidecar does not take
 */
export function TokenForm(props: {
  readonly isRefused: boolean;
  readonly onToken: (token: string) => void;
}) {
  const { isRefused, onToken } = props;
  const [token, setToken] = useState('');
  return (
    <form
      class="token"
      aria-labelledby="token-heading"
      onSubmit={(event) => {
        event.preventDefault();
        onToken(token.trim());
      }}
    >
      <h2 id="token-heading">API token</h2>
      <p>
        This sidecar asks for its API token (<code>DAPR_API_TOKEN</code>). It stays in this tab, and
        is forgotten with it.
      </p>
      <label>
        Token
        <input
          type="password"
          name="token"
          required
          autofocus
          autocomplete="off"
          value={token}
          onInput={({ currentTarget }) => {
            setToken(currentTarget.value);
          }}
        />
      </label>
      <p class="problem" role="alert">
        {isRefused ? 'The sidecar does not accept this token.' : ''}
      </p>
      <p class="actions">
        <button type="submit" class="primary">
          Show locks
        </button>
      </p>
    </form>
  );
}
