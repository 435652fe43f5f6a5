// A client and its session: one coroutine from the greeting to the end. Idle, it holds a socket and its session's
// state; bytes in hand cost a buffer, a statement under way a lease. Belongs to the loop's thread.
//
//   client_session.cc        the life of a session, and which command does what
//   client_session_questions.cc  settings that are known, questions about the last statement: answered from memory
//   client_session_processlist.cc  SHOW PROCESSLIST, which says whose connections they are
//   client_session_login.cc  greeting, TLS, accounts, the schema
//   client_session_prepared.cc   the commands of prepared statements
//   client_session_prepare.cc    seeing to it that a statement is prepared where it runs
//   client_session_calls.cc  what is known of what a statement calls
//   client_session_lease.cc  getting a connection and bringing it to this session's state, giving it back
//   client_session_relay.cc  a command to the server and its reply to the client
//   client_session_settle.cc what a statement has made of the session, and whether its lease may end
//   client_session_kill.cc   KILL of other clients, and of this one by others
//   client_session_pins.cc   what pins it, since when and by which statement
//   client_session_console.cc  a session that is the administrator's console instead
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/intrusive_list.h"
#include "config/rules.h"
#include "net/buffer.h"
#include "net/stream.h"
#include "pool/request.h"
#include "protocol/auth/credential.h"
#include "protocol/command.h"
#include "protocol/execute.h"
#include "protocol/handshake.h"
#include "protocol/reply_walker.h"
#include "proxy/leftovers.h"
#include "proxy/server_connection.h"
#include "proxy/snapshot.h"
#include "session/pin_causes.h"
#include "session/session.h"
#include "sql/lifted_calls.h"

namespace tidegate::proxy {

class Core;
struct GivesWay;

// How a client's connection ended; counted and shown.
enum class ClientEnd : std::uint8_t {
    quit,
    vanished,
    login_failed,
    login_timeout,
    protocol_error,
    server_lost,
    killed,
    draining
};
inline constexpr std::size_t kClientEnds = 8;
[[nodiscard]] std::string_view name_of(ClientEnd end);

class ClientSession : public pool::Request, public ListNode<GivesWay> {
public:
    // `beyond_limit`: as many clients as may be are connected already, so it gets in only as the console.
    ClientSession(Core& core, std::unique_ptr<net::Stream> stream, std::uint32_t id, bool beyond_limit);
    ~ClientSession();

    // The whole life; nothing of the session is used by others when it has ended.
    net::Task<void> run();

    // The pool's answers to a request that waited.
    void granted(ServerConnection& connection);
    void refused(const Error& error);

    // From the outside, between two resumptions. kill() ends the client, or what it is running; end_if_idle() says 1053
    // to a client that is in the middle of nothing (true: it did).
    net::Task<void> kill(bool query_only);
    // Once a second: has a statement, or an idle transaction that others wait behind, taken longer than is allowed?
    void check_times(TimePoint now);
    // The same: has it been pinned for longer than somebody should hear of?
    void check_pins(TimePoint now);
    [[nodiscard]] bool end_if_idle();
    // Somebody waits for a connection, and this session, at rest, holds one only for convenience (Core::give_way()).
    void give_way();
    void shut_down() { stream_->shut_down(); }

    [[nodiscard]] std::uint32_t id() const { return id_; }
    [[nodiscard]] const std::string& user() const { return user_; }
    [[nodiscard]] const session::Session& state() const { return session_; }
    [[nodiscard]] bool has_lease() const { return lease_ != nullptr; }
    [[nodiscard]] std::uint32_t lease_id() const {
        return lease_ != nullptr ? lease_->thread_id() : 0;
    }  // the server's
    [[nodiscard]] const std::string& program() const { return program_; }
    [[nodiscard]] bool logged_in() const { return logged_in_; }
    // In the middle of nothing: no command under way, none in hand, no transaction; or not even logged in: false.
    [[nodiscard]] bool rests() const;
    [[nodiscard]] ClientView view(TimePoint now) const;
    [[nodiscard]] const session::PinCauses& pin_causes() const { return pin_causes_; }
    [[nodiscard]] TimePoint since() const { return busy_since_; }  // busy, or at rest
    [[nodiscard]] const net::Address& peer() const { return stream_->peer(); }
    [[nodiscard]] int peer_pid() const { return stream_->socket().peer_pid(); }
    [[nodiscard]] int descriptor() const { return stream_->socket().fd(); }

private:
    // What happened to a command's way to the server and its reply's way back.
    enum class Relayed : std::uint8_t {
        done,
        client_gone,
        server_lost,
        no_room,  // the server holds as many prepared statements as it may; nothing of that has reached the client
    };
    enum class Ready : std::uint8_t { yes, refused, client_gone, server_lost };
    // What is left to be seen to when a reply is over.
    struct Unsettled {
        bool in_transaction = false;  // before it
        bool status = false;          // is there one now? The reply has not told
        bool statement = false;       // the server has lost the prepared one, or there is another like it
    };
    enum class Streamed : std::uint8_t { text, opaque, file };

    // What the command under way has to do with prepared statements.
    struct Running {
        protocol::Command command{};
        session::PreparedTextPtr text{};              // it prepares this
        session::Statement* statement = nullptr;      // it is about this one of the client's
        session::ServerStatement* there = nullptr;    // and on the lease it is that one
        std::optional<protocol::ExecuteHead> head{};  // it executes: what stands before the values
        int room_made = 0;                            // on the server, for what it prepares: how often
        bool may_make_room = false;                   // an answer that there is none need not go to the client
        bool refused = false;                         // the server has refused to prepare it again
    };
    // A command as it goes to the server: statements that make room for it, and pieces of it.
    struct Outgoing {
        static constexpr std::size_t kMostClosed = 8;
        std::array<std::byte, kMostClosed * protocol::kStatementClose> closes;
        std::array<iovec, 4> pieces;
        std::size_t count = 0;
        std::span<const std::byte> bound{};  // of a large execution: types to put in
        void add(std::span<const std::byte> piece) {
            pieces[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
        }
        [[nodiscard]] std::span<iovec> parts() { return {pieces.data(), count}; }
    };

    // client_session.cc
    net::Task<void> serve();
    net::Task<bool> read_more();
    [[nodiscard]] bool has_command() const;
    net::Task<bool> command();  // false: the client's connection is at its end
    net::Task<bool> query(std::size_t packet_size, bool large);
    net::Task<bool> answer(protocol::Command command, std::size_t packet_size);
    void reset_session();
    net::Task<bool> set_option(bool on, std::size_t packet_size);
    net::Task<bool> change_user(std::size_t packet_size);
    net::Task<bool> decline(Ready why, std::size_t packet_size, bool large);
    net::Task<bool> refuse_command(std::size_t packet_size, bool large);  // with refusal_; false: the client is gone
    net::Task<bool> say(const Error& error);                              // an ERR packet
    net::Task<bool> say_ok();
    net::Task<bool> send(std::vector<std::byte> packets);

    // client_session_questions.cc
    net::Task<bool> bare_question(const sql::Facts& facts, std::size_t packet_size);
    [[nodiscard]] std::vector<std::byte> answer_from_memory(const sql::Facts& facts, std::string_view text) const;
    [[nodiscard]] std::vector<std::byte> in_form_of_client(std::vector<std::byte> reply) const;
    [[nodiscard]] bool server_has_answer(sql::Bare question) const;
    net::Task<bool> answer_set(const session::KnownSet& known, const sql::Facts& facts, std::size_t packet_size);
    void learn_set(const protocol::ReplyWalker::Outcome& outcome);
    void note_answer();

    // client_session_processlist.cc
    net::Task<bool> show_processes(sql::Facts facts, std::size_t packet_size);
    net::Task<bool> run_and_keep(sql::Facts& facts, std::size_t packet_size, std::vector<std::byte>& reply);
    [[nodiscard]] bool takes_ascii() const;
    [[nodiscard]] bool collect(std::span<const iovec> parts);

    // client_session_calls.cc
    void judge_calls(sql::Facts& facts, std::string_view text, std::string_view schema) {
        if (rules_ != nullptr) follow_rules(facts, text);
        if (facts.pins.intersects(sql::kCallPins)) look_up_calls(facts, text, schema);
    }
    void follow_rules(sql::Facts& facts, std::string_view text);
    void find_rules();
    void look_up_calls(sql::Facts& facts, std::string_view text, std::string_view schema);
    void judge_again(sql::Facts& facts);

    // client_session_prepared.cc
    net::Task<bool> prepare_statement(std::size_t packet_size, bool large);
    net::Task<bool> prepared_command(protocol::Command command, const protocol::CommandRule& rule,
                                     std::size_t packet_size, bool large);
    net::Task<bool> execute_statement(session::Statement& statement, std::size_t packet_size, bool large);
    net::Task<bool> fetch_rows(session::Statement& statement, std::size_t packet_size);
    net::Task<bool> reset_statement(session::Statement& statement, std::size_t packet_size);
    net::Task<bool> close_statement(session::Statement& statement, std::size_t packet_size);
    net::Task<bool> take_long_data(session::Statement& statement, std::size_t packet_size, bool large);
    net::Task<bool> pass_long_data(session::Statement& statement, std::size_t packet_size, bool large);
    net::Task<bool> drop_command(std::size_t packet_size, bool large);
    net::Task<bool> about_a_statement(protocol::ReplyShape shape, Running running, std::size_t packet_size, bool large);
    net::Task<bool> in_hand(std::size_t bytes);
    void note_prepared(const protocol::ReplyWalker::Outcome& outcome);
    [[nodiscard]] bool note_executed(const protocol::ReplyWalker::Outcome& outcome);
    net::Task<void> close_on_server(session::ServerStatement& statement);

    // client_session_prepare.cc
    [[nodiscard]] bool is_prepared();
    net::Task<Result<void>> prepare_again();
    net::Task<Result<Answer>> prepare_on_lease(const session::PreparedText& text);
    net::Task<bool> make_room_on_server();
    [[nodiscard]] std::size_t most_prepared() const;
    void lay_out(std::span<std::byte> packet, bool large, Outgoing& out);
    void lay_out_execute(std::span<std::byte> packet, bool large, Outgoing& out);
    net::Task<Relayed> stream_execute(std::span<const std::byte> bound);

    // client_session_login.cc
    net::Task<bool> log_in();
    net::Task<bool> meet_client_of_load_balancer(const net::Deadline& limit);
    net::Task<void> server_seen(net::Deadline& limit);
    net::Task<bool> greet(std::vector<std::byte>& response, std::uint8_t& sequence);
    net::Task<bool> authenticate(const protocol::HandshakeResponse& response, std::uint8_t& sequence);
    net::Task<bool> enter_schema(std::string schema, std::uint8_t sequence);
    net::Task<bool> refuse_login(Error error, std::uint8_t sequence);
    [[nodiscard]] session::StatePtr new_state(std::uint16_t charset, std::string_view schema, bool multi_statements);
    void start_session(session::StatePtr state);

    // client_session_console.cc
    [[nodiscard]] const protocol::Greeting& greeting_of_server() const;
    [[nodiscard]] bool asks_for_console(const protocol::HandshakeResponse& response) const;
    [[nodiscard]] std::optional<Error> only_console() const;
    net::Task<bool> enter_console(std::uint8_t sequence);
    net::Task<void> serve_console();
    net::Task<bool> console_command();  // false: the client's connection is at its end
    net::Task<bool> answer_console(std::string text);
    net::Task<bool> console_ok(std::string_view info);
    net::Task<bool> console_statistics();

    // client_session_lease.cc
    net::Task<Result<void>> take_lease();  // an error is the client's to hear
    [[nodiscard]] static bool needs_own_insert_id(const sql::Facts& facts);
    [[nodiscard]] bool lease_fits(const sql::Facts& facts) const;
    net::Task<Result<void>> fit_lease(const sql::Facts& facts);
    net::Task<Result<void>> take_over(const sql::Facts& facts);
    net::Task<Result<void>> reset_lease();
    net::Task<Result<void>> restore_state(session::StatePtr want);
    net::Task<Result<void>> take_role(const session::State& want);
    [[nodiscard]] bool asks_in_vain(const sql::Facts& facts) const;
    [[nodiscard]] bool keeps_warnings_of_others(const sql::Facts& facts) const;
    // What this session's last statement has left is on this connection, as the server has it.
    [[nodiscard]] bool results_are_on(const ServerConnection& connection) const {
        return &connection == last_ && connection.used_by == owner_;
    }
    void end_statement();       // gives the lease back unless something holds it
    net::Task<void> let_go();   // the same, after something that was no statement
    void return_unfit_lease();  // it could not be brought to this session's state, and has not got it
    void give_up_lease();       // cleans it, whatever it takes: the session is over, or starts anew
    void abandon_lease();       // in the middle of something: the statement is killed
    void lose_lease();          // the server is gone

    // client_session_relay.cc
    net::Task<bool> statement(protocol::ReplyShape shape, sql::Facts& facts, std::size_t packet_size, bool large);
    net::Task<Ready> get_ready(const sql::Facts& facts);
    void begin_reply(protocol::ReplyShape shape);
    net::Task<Relayed> send_command(std::size_t packet_size, bool large, sql::Facts& facts);
    [[nodiscard]] Relayed send_at_once(std::span<iovec>& parts);
    net::Task<Relayed> send_to_server(std::span<iovec> parts);
    net::Task<Relayed> stream_packets(Streamed what, sql::Facts* facts);
    net::Task<Relayed> pass_on(std::span<const std::byte> bytes);
    net::Task<Relayed> relay_reply();
    net::Task<Relayed> relay_local_file(bool refused);
    net::Task<Relayed> flush_to_client(std::span<iovec> parts);
    [[nodiscard]] Relayed flush_at_once(std::span<iovec>& parts);
    net::Task<bool> lost_server(bool repeatable);

    // client_session_settle.cc; false: the lease is lost
    [[nodiscard]] bool settle_at_once(protocol::ReplyShape shape, const sql::Facts& facts, Unsettled& what);
    net::Task<bool> settle(const sql::Facts& facts, Unsettled what);
    void note_end(const Unsettled& what);
    net::Task<Result<std::string>> ask_server(std::string question);
    net::Task<bool> read_user_variables();
    net::Task<bool> read_role();
    net::Task<bool> make_way();
    void note_leftovers(const sql::Facts& facts, const protocol::ReplyWalker::Outcome& outcome);

    // client_session_kill.cc
    net::Task<bool> kill_other(std::uint64_t victim, bool query_only);
    net::Task<bool> kill_by_value(sql::Facts facts, std::size_t packet_size);

    // client_session_pins.cc
    void note_pins(sql::Kind kind = sql::Kind::unknown);
    net::Task<bool> keep_beginning();
    [[nodiscard]] std::string statement_under_way(sql::Kind kind) const;
    // What holds the connection that it has: pins of a session that has lost it hold nothing any more.
    [[nodiscard]] sql::Pins pins_now() const { return lease_ != nullptr ? session_.pins() : sql::Pins{}; }

    static constexpr std::uint16_t kServerLost = 2013;
    static constexpr budget::AccountId kNoAccount = ~budget::AccountId{0};  // the console's
    static constexpr std::uint16_t kTooManyPrepared = 1461;
    static constexpr int kAttempts = 5;  // to bring a connection to this session's state, each on another connection
    [[nodiscard]] static Error as_a_server_says_it(Error error);

    Core& core_;
    std::unique_ptr<net::Stream> stream_;
    std::uint32_t id_;
    net::Buffer in_;   // from the client, not yet done with
    net::Event wake_;  // the pool has answered
    Error refusal_;
    bool was_refused_ = false;
    ServerConnection* lease_ = nullptr;

    std::string user_;
    protocol::auth::CredentialPtr credential_;
    protocol::Nonce nonce_{};
    protocol::Capabilities capabilities_ = 0;
    std::uint16_t charset_ = 0;
    std::string
        certificate_proof_;       // in the OK packet that ends the login, for those who cannot verify the certificate
    std::string program_;         // the connection attribute program_name
    bool console_ = false;        // it is the administrator's console
    bool beyond_limit_ = false;   // max_clients are connected without it
    bool server_unseen_ = false;  // it was greeted before the server was ever seen
    bool logged_in_ = false;
    bool login_refused_ = false;    // the client was told so
    unsigned changes_refused_ = 0;  // COM_CHANGE_USERs
    bool busy_ = false;             // a command is under way
    bool ran_statement_ = false;
    std::size_t command_in_hand_ = 0;  // bytes at the front of in_: kept until the reply is there, to run it again
    bool large_text_ = false;          // the large command under way is a statement's text
    std::unique_ptr<std::string> beginning_;  // of a text that no buffer holds
    bool killed_ = false;
    bool timed_out_ = false;        // its transaction was ended because it sat idle: the next command is told
    bool way_asked_ = false;        // give_way() was called
    bool lost_between_ = false;     // the lease's connection ended between two commands: the next one is told
    unsigned kills_under_way_ = 0;  // KILL QUERYs that were sent for the statement under way: the lease waits for them
    net::Event kills_done_;
    ClientEnd end_ = ClientEnd::vanished;
    TimePoint since_;       // connected
    TimePoint busy_since_;  // or idle since

    session::Session session_;
    session::PinCauses pin_causes_;
    std::uint64_t owner_ = 0;  // of what the session leaves on connections: another one after each login and each reset
    std::uint64_t insert_id_mark_ = 0;        // of its LAST_INSERT_ID(): a connection with this mark has that value
    const ServerConnection* last_ = nullptr;  // where its last statement ran; it may be gone
    // Of which answers that connection has this session's. (Not of those that a statement there left as they were
    // before it came there, nor of those that the gate has changed by asking or answering something itself.)
    struct OnServer {
        bool row_count = false;
        bool found_rows = false;
        bool warnings = false;
    };
    OnServer on_server_;
    std::unique_ptr<const config::SessionRules> rules_;  // nullptr: no rule is about this session
    config::Wish wish_;                                  // of rules, for the large statement under way
    std::uint64_t judged_at_ = 0;  // the version of what was known when the statement's calls were looked up
    Running running_;
    std::optional<session::KnownSet> learning_;  // the statement under way may be worth knowing
    protocol::ReplyWalker walker_;
    std::vector<std::byte>* collected_ = nullptr;  // the reply under way is not passed on, but comes here
    std::shared_ptr<Leftovers> leftovers_;
};

}  // namespace tidegate::proxy
