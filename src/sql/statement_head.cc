// The part of the classifier that reads the first words of a statement: what it is, and what it pins by being that.
#include "sql/classifier.h"

namespace tidegate::sql {

// Statements that may evaluate something, and what is prepared.
void Classifier::first_word(Word word) {
    const auto is = [this](Kind kind, Head head = Head::none) {
        s_.kind = kind;
        s_.head = head;
    };
    const auto reads_expressions = [&](Kind kind, Head head = Head::none) {
        is(kind, head);
        s_.calls = true;
    };
    switch (word) {
        case Word::select_:
            reads_expressions(Kind::select);
            s_.plain = s_.tolerant = true;
            break;
        case Word::insert_:
        case Word::replace_:
            reads_expressions(word == Word::insert_ ? Kind::insert : Kind::replace);
            s_.target = s_.tolerant = true;
            break;
        case Word::update_:
        case Word::delete_:
            reads_expressions(word == Word::update_ ? Kind::update : Kind::delete_);
            s_.tolerant = true;
            break;
        case Word::with_:
            reads_expressions(Kind::select, Head::with);
            s_.tolerant = true;
            break;
        case Word::values_:
        case Word::table_:
            reads_expressions(Kind::select);
            s_.tolerant = true;
            break;
        case Word::set_:
            reads_expressions(Kind::set);
            break;
        case Word::show_:
            reads_expressions(Kind::show, Head::show);
            s_.tolerant = true;
            break;
        case Word::do_:
            reads_expressions(Kind::do_);
            break;
        case Word::call_:
            reads_expressions(Kind::call, Head::call);
            s_.target = true;
            pin(Pin::call);
            break;
        case Word::kill_:
            reads_expressions(Kind::kill, Head::kill);
            break;
        case Word::explain_:
        case Word::desc_:
        case Word::describe_:
            reads_expressions(Kind::explain, Head::explain);
            break;
        case Word::analyze_:
            reads_expressions(Kind::explain, Head::analyze);
            break;
        case Word::handler_:
            reads_expressions(Kind::handler, Head::handler);
            break;
        case Word::load_:
            reads_expressions(Kind::unknown, Head::load);
            break;
        case Word::prepare_:
            reads_expressions(Kind::prepare);
            pin(Pin::text_prepare);
            break;
        case Word::execute_:
            reads_expressions(Kind::execute);
            pin(Pin::text_execute);
            break;
        case Word::deallocate_:
            is(Kind::deallocate);
            facts_.may_end.add(Pin::text_prepare);
            break;
        case Word::get_:  // GET DIAGNOSTICS
            reads_expressions(Kind::other);
            facts_.asks.add(Ask::warnings);
            break;
        case Word::signal_:
        case Word::resignal_:
            reads_expressions(Kind::other);
            break;
        default:
            first_word_of_others(word);
            break;
    }
}

// Statements that evaluate nothing.
void Classifier::first_word_of_others(Word word) {
    const auto is = [this](Kind kind, Head head = Head::none) {
        s_.kind = kind;
        s_.head = head;
    };
    switch (word) {
        case Word::use_:
            is(Kind::use);
            break;
        case Word::commit_:
            is(Kind::commit);
            break;
        case Word::savepoint_:
            is(Kind::savepoint);
            break;
        case Word::begin_:
            is(Kind::begin, Head::begin);
            break;
        case Word::rollback_:
            is(Kind::rollback, Head::rollback);
            break;
        case Word::start_:
            is(Kind::unknown, Head::second_word);
            s_.tolerant = true;
            break;
        case Word::release_:
        case Word::lock_:
        case Word::unlock_:
        case Word::xa_:
        case Word::backup_:
        case Word::rename_:
            is(Kind::unknown, Head::second_word);
            break;
        case Word::create_:
        case Word::alter_:
            is(Kind::ddl, word == Word::create_ ? Head::create : Head::alter);
            s_.names_account = true;  // DEFINER = a@b
            break;
        case Word::drop_:
            is(Kind::ddl, Head::drop);
            break;
        case Word::truncate_:
            is(Kind::ddl);
            break;
        case Word::flush_:
            is(Kind::flush, Head::flush);
            break;
        case Word::grant_:
        case Word::revoke_:
            account_statement();
            break;
        case Word::install_:
        case Word::uninstall_:
            is(Kind::other);
            facts_.changes_routines = true;  // they may bring functions
            break;
        case Word::cache_:
        case Word::change_:
        case Word::check_:
        case Word::checksum_:
        case Word::clone_:
        case Word::help_:
        case Word::import_:
        case Word::optimize_:
        case Word::purge_:
        case Word::repair_:
        case Word::reset_:
        case Word::restart_:
        case Word::shutdown_:
        case Word::stop_:
            is(Kind::other);
            break;
        default:
            s_.calls = true;
            break;
    }
}

void Classifier::account_statement() {
    s_.kind = Kind::grant;
    s_.head = Head::none;
    s_.names_account = true;
    facts_.new_generation = true;
}

void Classifier::skip_body() {
    s_.skipped = true;
    s_.head = Head::none;
}

void Classifier::on_head(const Token& token, const WordInfo* info) {
    const Word word = info == nullptr ? Word::none : info->word;
    if (token.high()) {
        pin(Pin::multibyte);  // in some character sets 0xA0 is a space, and this is two words
    }
    switch (s_.head) {
        case Head::kill:
            on_kill(token, word);
            return;
        case Head::call:
            on_call(token);
            return;
        case Head::begin:
            if (word != Word::work_) {
                pin(Pin::compound);
                s_.calls = true;
            }
            s_.head = Head::none;
            return;
        case Head::second_word:
            s_.head = Head::none;
            on_second_word(word);
            return;
        default:
            break;
    }
    if (word == Word::none) {
        return;
    }
    switch (s_.head) {
        case Head::parentheses:
        case Head::with:
        case Head::explain:
        case Head::analyze:
            on_inner_statement(word);
            break;
        case Head::rollback:
            s_.kind = word == Word::to_ ? Kind::savepoint : s_.kind;
            break;
        case Head::create:
            on_create(word);
            break;
        case Head::create_table:
            on_create_table(word);
            break;
        case Head::event:
            if (word == Word::do_) {
                skip_body();
            }
            break;
        case Head::alter:
            on_alter(word);
            break;
        case Head::drop:
            on_drop(word);
            break;
        case Head::flush:
            on_flush(word);
            break;
        case Head::handler:
            if (word == Word::open_) {
                pin(Pin::handler);
            } else if (word == Word::close_) {
                facts_.may_end.add(Pin::handler);
            }
            break;
        case Head::load:
            on_load(word);
            break;
        case Head::backup:
            if (word == Word::end_) {
                facts_.pins.remove(Pin::instance_lock);
                facts_.may_end.add(Pin::instance_lock);
            }
            break;
        case Head::show:
            on_show(word);
            break;
        default:
            break;
    }
}

// Statements that are decided by their second word.
void Classifier::on_second_word(Word word) {
    switch (s_.before.word()) {
        case Word::lock_:
            if (word == Word::tables_ || word == Word::table_) {
                s_.kind = Kind::lock_tables;
                pin(Pin::lock_tables);
            } else if (word == Word::instance_) {
                s_.kind = Kind::other;
                pin(Pin::instance_lock);
            }
            break;
        case Word::unlock_:
            if (word == Word::tables_ || word == Word::table_) {
                s_.kind = Kind::unlock_tables;
                facts_.may_end.add({Pin::lock_tables, Pin::flush_lock});
            } else if (word == Word::instance_) {
                s_.kind = Kind::other;
                facts_.may_end.add(Pin::instance_lock);
            }
            break;
        case Word::rename_:
            if (word == Word::user_) {
                account_statement();
            } else if (word == Word::table_ || word == Word::tables_) {
                s_.kind = Kind::ddl;
                facts_.changes_routines = true;  // a view may be renamed so, too
            }
            break;
        case Word::backup_:
            s_.kind = Kind::other;
            if (word == Word::unlock_) {
                facts_.may_end.add(Pin::instance_lock);
            } else {
                pin(Pin::instance_lock);
                s_.head = word == Word::stage_ ? Head::backup : Head::none;
            }
            break;
        default:
            on_transaction_word(word);
            break;
    }
}

void Classifier::on_transaction_word(Word word) {
    switch (s_.before.word()) {
        case Word::start_:
            if (word == Word::transaction_) {
                s_.kind = Kind::begin;
            } else if (word == Word::slave_ || word == Word::replica_ || word == Word::all_ ||
                       word == Word::group_replication_) {
                s_.kind = Kind::other;
            }
            break;
        case Word::release_:
            s_.kind = word == Word::savepoint_ ? Kind::savepoint : Kind::unknown;
            break;
        case Word::xa_:
            s_.kind = Kind::xa;
            if (word == Word::commit_ || word == Word::rollback_) {
                facts_.may_end.add(Pin::xa);
            } else if (word != Word::recover_) {
                pin(Pin::xa);
            }
            break;
        default:
            break;
    }
}

// The statement within WITH, parentheses, EXPLAIN and ANALYZE.
void Classifier::on_inner_statement(Word word) {
    const bool with = s_.head == Head::with;
    const bool explained = s_.head == Head::explain || s_.head == Head::analyze;
    if (with && s_.depth != 0) {
        return;
    }
    switch (word) {
        case Word::select_:
            s_.plain = !explained;
            break;
        case Word::insert_:
        case Word::replace_:
        case Word::update_:
        case Word::delete_:
            s_.target = word == Word::insert_ || word == Word::replace_;
            if (with) {
                s_.kind = word == Word::update_ ? Kind::update : Kind::delete_;
            } else if (!explained) {
                s_.kind = Kind::unknown;
            }
            break;
        case Word::values_:
        case Word::with_:
            break;
        case Word::table_:
        case Word::local_:
            if (s_.head == Head::analyze) {
                s_.kind = Kind::other;
                s_.calls = false;
            }
            break;
        default:
            if (s_.head == Head::parentheses) {
                s_.kind = Kind::unknown;
                break;
            }
            return;  // EXTENDED, RECURSIVE, AS, FOR, ..
    }
    s_.head = Head::none;
}

void Classifier::on_create(Word word) {
    switch (word) {
        case Word::temporary_:
            pin(Pin::temporary_table);
            break;
        case Word::table_:
            s_.head = Head::create_table;
            s_.names_account = false;
            break;
        case Word::event_:
            s_.head = Head::event;
            s_.names_account = false;
            s_.calls = true;
            break;
        case Word::user_:
        case Word::role_:
            account_statement();
            break;
        case Word::procedure_:
        case Word::function_:
        case Word::trigger_:
        case Word::package_:
        case Word::library_:
            facts_.changes_routines = true;
            skip_body();
            break;
        case Word::view_:
        case Word::database_:
        case Word::schema_:
            facts_.changes_routines = true;
            s_.head = Head::none;
            break;
        case Word::index_:
            s_.head = Head::none;
            break;
        default:
            break;
    }
}

// CREATE TABLE .. SELECT and .. AS VALUES run what they say; the rest of a CREATE TABLE calls nothing.
void Classifier::on_create_table(Word word) {
    if (word == Word::select_ || (word == Word::values_ && !s_.partitioned)) {
        s_.calls = true;
        s_.head = Head::none;
    }
}

void Classifier::on_alter(Word word) {
    switch (word) {
        case Word::user_:
        case Word::role_:
            account_statement();
            break;
        case Word::event_:
            s_.head = Head::event;
            s_.names_account = false;
            s_.calls = true;
            break;
        case Word::table_:
            s_.names_account = false;
            s_.head = Head::none;
            break;
        case Word::view_:
        case Word::database_:
        case Word::schema_:
        case Word::procedure_:
        case Word::function_:
        case Word::package_:
            facts_.changes_routines = true;
            s_.head = Head::none;
            break;
        case Word::instance_:
            s_.head = Head::none;
            break;
        default:
            break;
    }
}

void Classifier::on_drop(Word word) {
    switch (word) {
        case Word::temporary_:
        case Word::table_:
        case Word::tables_:
            facts_.may_end.add(Pin::temporary_table);
            break;
        case Word::prepare_:
            s_.kind = Kind::deallocate;
            facts_.may_end.add(Pin::text_prepare);
            break;
        case Word::user_:
        case Word::role_:
            account_statement();
            return;
        case Word::view_:
        case Word::database_:
        case Word::schema_:
        case Word::procedure_:
        case Word::function_:
        case Word::trigger_:
        case Word::package_:
        case Word::library_:
            facts_.changes_routines = true;
            break;
        default:
            break;
    }
    s_.head = Head::none;
}

void Classifier::on_flush(Word word) {
    if (word == Word::lock_ || word == Word::export_) {
        pin(Pin::flush_lock);
    } else if (word == Word::privileges_) {
        facts_.new_generation = true;
    }
}

void Classifier::on_show(Word word) {
    const Word before = s_.before.word();
    switch (word) {
        case Word::warnings_:
        case Word::errors_:  // also SHOW COUNT(*) WARNINGS
            if (before == Word::show_ || s_.before.kind == TokenKind::close) {
                facts_.asks.add(Ask::warnings);
            }
            break;
        case Word::grants_:
            s_.names_account = before == Word::show_;
            s_.head = Head::none;
            break;
        case Word::user_:
            s_.names_account = before == Word::create_;
            s_.head = Head::none;
            break;
        default:
            break;
    }
}

void Classifier::on_load(Word word) {
    switch (word) {
        case Word::data_:
        case Word::xml_:
            s_.kind = Kind::load_data;
            break;
        case Word::index_:
            s_.kind = s_.kind == Kind::unknown ? Kind::other : s_.kind;
            s_.head = s_.kind == Kind::other ? Head::none : s_.head;
            break;
        case Word::local_:
            facts_.local_infile = true;
            break;
        case Word::table_:
            s_.target = true;
            s_.head = Head::none;
            break;
        default:
            break;
    }
}

// The procedure's name, or its schema's, begins here.
void Classifier::on_call(const Token& token) {
    facts_.calls_procedure = true;
    facts_.procedure_at = token.offset;
    s_.head = Head::none;
}

// KILL [HARD | SOFT] [CONNECTION | QUERY] <number>, and nothing else, is a KILL that the gate can carry out.
void Classifier::on_kill(const Token& token, Word word) {
    bool understood = s_.kill != Kill::other && !s_.kill_has_id;
    if (understood && token.kind == TokenKind::number && !token.text.empty()) {
        s_.kill_has_id = true;
        for (const char c : token.text) {
            const bool digit = c >= '0' && c <= '9';
            const std::uint64_t value = static_cast<std::uint64_t>(digit ? c - '0' : 0);
            understood = understood && digit && s_.kill_id <= (UINT64_MAX - value) / 10;
            s_.kill_id = s_.kill_id * 10 + value;
        }
    } else if (understood && word == Word::connection_) {
        s_.kill = Kill::connection;
    } else if (understood && word == Word::query_) {
        s_.kill = Kill::query;
        s_.kill_query = true;
    } else if (word != Word::hard_ && word != Word::soft_) {
        understood = false;
    }
    if (!understood) {
        s_.kill = Kill::other;
    }
}

}  // namespace tidegate::sql
